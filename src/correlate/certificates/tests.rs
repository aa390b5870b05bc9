use std::net::Ipv4Addr;

use super::*;
use crate::evidence::Confidence;
use crate::verdict;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 11));

fn vouched(frame: u64) -> CertificateSight {
    CertificateSight {
        name: "site.example".to_owned(),
        server: SERVER,
        issuer: "O=Authority".to_owned(),
        subject: "CN=site.example".to_owned(),
        vouched: true,
        self_signed: false,
        private: false,
        hello: Some(FrameId::new(0, frame)),
        frame: FrameId::new(0, frame + 2),
        syn_ack: Some((FrameId::new(0, frame - 2), Ttl(53))),
        handshake: Some(Duration::from_millis(56)),
        time: Timestamp::ZERO,
    }
}

fn own_making(ttl: u8, ms: u64) -> CertificateSight {
    CertificateSight {
        issuer: "CN=site.example".to_owned(),
        vouched: false,
        self_signed: true,
        syn_ack: Some((FrameId::new(0, 98), Ttl(ttl))),
        handshake: Some(Duration::from_millis(ms)),
        ..vouched(100)
    }
}

fn tally(sights: &[CertificateSight]) -> CertificateTally {
    let mut tally = CertificateTally::default();
    for sight in sights {
        tally.add(sight);
    }
    tally
}

fn confidence(tally: &CertificateTally, sight: &CertificateSight) -> Option<Confidence> {
    verdict::weigh(&tally.judge(sight)?).map(|verdict| verdict.confidence)
}

#[test]
fn a_self_signed_certificate_from_nearer_than_the_server_is_likely_substituted() {
    let tally = tally(&[vouched(3), vouched(13)]);
    let sight = own_making(63, 7);
    assert_eq!(confidence(&tally, &sight), Some(Confidence::Likely));
    let found = tally.judge(&sight).unwrap();
    assert_eq!(found.forged, [FrameId::new(0, 98), FrameId::new(0, 102)]);
    assert_eq!(found.injector.unwrap().in_path, Some(true));
}

#[test]
fn an_owners_own_machine_is_at_most_worth_a_look() {
    let tally = tally(&[vouched(3), vouched(13)]);
    assert!(confidence(&tally, &own_making(53, 56)) < Some(Confidence::Likely));
    let elsewhere = CertificateSight { server: OTHER, ..own_making(120, 3) };
    assert!(confidence(&tally, &elsewhere) < Some(Confidence::Likely));
    assert_eq!(tally.judge(&elsewhere).unwrap().forged, [FrameId::new(0, 102)]);
}

#[test]
fn a_name_that_is_always_self_signed_is_nothing() {
    let tally = tally(&[CertificateSight { name: "other.example".to_owned(), ..vouched(3) }]);
    assert_eq!(tally.judge(&own_making(63, 7)), None);
}

#[test]
fn the_order_of_flows_and_merges_does_not_matter() {
    let sights: Vec<_> = (0..40)
        .map(|n: u8| CertificateSight {
            name: format!("Name{}.example.", n % 3),
            server: IpAddr::V4(Ipv4Addr::new(203, 0, 113, n % 12)),
            syn_ack: Some((FrameId::new(0, u64::from(n) + 1), Ttl(50 + n))),
            ..vouched(u64::from(n) + 3)
        })
        .collect();
    let whole = tally(&sights);
    let backwards: Vec<_> = sights.iter().rev().cloned().collect();
    assert_eq!(tally(&backwards), whole);
    let (one, two) = sights.split_at(17);
    let (mut one, mut two) = (tally(one), tally(two));
    let first = one.clone();
    one.merge(two.clone());
    two.merge(first);
    assert_eq!(one, whole);
    assert_eq!(two, whole);
}

#[test]
fn a_private_authority_is_nothing_by_itself() {
    for (issuer, grade) in
        [("O=Works, CN=Works Root", Grade::Half), ("C=KZ, CN=Qaznet Trust Network", Grade::Full)]
    {
        let sight = CertificateSight { issuer: issuer.to_owned(), private: true, ..vouched(3) };
        let suspicion = private_authority(&sight);
        assert_eq!((suspicion.kind, suspicion.facts[0].grade), (Kind::Tls, grade));
        assert_eq!(verdict::weigh(&suspicion), None, "{issuer}");
    }
}
