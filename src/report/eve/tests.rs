use serde_json::Value;

use super::*;
use crate::evidence::{DnsExchange, HostSource};
use crate::report::escape::is_unsafe;
use crate::report::sample::{self, Story};

fn lines(story: &Story) -> String {
    let mut eve = Eve::new(Vec::new());
    for flow in &story.flows {
        let alerted = story.findings.iter().any(|finding| finding.flow == flow.flow);
        eve.flow(flow, alerted).expect("a vector takes all");
    }
    for finding in &story.findings {
        let flow = story.flows.iter().find(|flow| flow.flow == finding.flow);
        eve.alert(finding, flow).expect("a vector takes all");
    }
    String::from_utf8(eve.into_inner()).expect("it is text")
}

fn events(story: &Story) -> Vec<Value> {
    lines(story).lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// Members as Suricata's EVE index names them, of the objects that are written here.
fn known(object: &str) -> &'static [&'static str] {
    match object {
        "" => &[
            "timestamp",
            "flow_id",
            "pcap_cnt",
            "event_type",
            "src_ip",
            "src_port",
            "dest_ip",
            "dest_port",
            "proto",
            "pcap_filename",
            "community_id",
            "direction",
            "app_proto",
            "alert",
            "flow",
            "http",
            "tls",
            "quic",
            "dns",
            "tamperscope",
        ],
        "alert" => &["action", "gid", "signature_id", "rev", "signature", "category", "severity"],
        "flow" => &[
            "pkts_toserver",
            "pkts_toclient",
            "bytes_toserver",
            "bytes_toclient",
            "start",
            "end",
            "age",
            "state",
            "reason",
            "alerted",
            "src_ip",
            "src_port",
            "dest_ip",
            "dest_port",
        ],
        "http" => &["hostname", "url", "http_method", "status"],
        "tls" => &["subject", "issuerdn", "sni", "version", "client_alpns", "ja4"],
        "quic" => &["version", "sni"],
        "dns" => &["query"],
        other => panic!("EVE has no object {other} here"),
    }
}

fn check(object: &str, value: &Value) {
    for (name, member) in value.as_object().expect("an object") {
        assert!(known(object).contains(&name.as_str()), "{object}.{name}");
        if member.is_object() && name != "tamperscope" {
            check(name, member);
        }
    }
}

#[test]
fn events_are_as_reviewed() {
    insta::assert_snapshot!(lines(&sample::blocked()));
}

#[test]
fn members_have_the_names_of_eve() {
    for story in [sample::blocked(), sample::hostile(), sample::several_files()] {
        for event in events(&story) {
            check("", &event);
            let stamp = event["timestamp"].as_str().expect("it has one");
            assert_eq!((stamp.len(), &stamp[26..]), (31, "+0000"), "{stamp}");
        }
    }
}

#[test]
fn an_alert_has_the_addresses_of_its_packet() {
    let mut story = sample::blocked();
    let client = serde_json::json!("10.63.0.5");

    let event = &events(&story)[2];
    assert_eq!((&event["dest_ip"], &event["direction"]), (&client, &"to_client".into()));
    assert_eq!((&event["pcap_cnt"], &event["flow"]["src_ip"]), (&43.into(), &client));

    let changed = |story: &mut Story, change: fn(&mut Finding)| {
        change(&mut story.findings[0]);
        events(story)[2].clone()
    };
    let event = changed(&mut story, |finding| finding.injector = None);
    assert_eq!((&event["src_ip"], event.get("direction")), (&client, None));

    let event = changed(&mut story, |finding| finding.forged_frames.clear());
    assert_eq!((&event["src_ip"], &event["pcap_cnt"]), (&client, &40.into()));
    assert_eq!(event["direction"], "to_server");
}

#[test]
fn without_its_flow_an_alert_still_has_the_name() {
    let cases = [
        (HostSource::Sni, "/tls/sni", "tls"),
        (HostSource::Http, "/http/hostname", "http"),
        (HostSource::Quic, "/quic/sni", "quic"),
        (HostSource::Dns, "/dns/query/0/rrname", "dns"),
    ];
    for (source, pointer, app_proto) in cases {
        let mut story = sample::blocked();
        story.flows.clear();
        story.findings.truncate(1);
        story.findings[0].host_source = Some(source);
        let event = &events(&story)[0];
        assert_eq!(event.pointer(pointer), Some(&"photos.example".into()), "{event}");
        assert_eq!(event["app_proto"], app_proto);
    }
}

#[test]
fn of_several_exchanges_the_one_concerned_is_told() {
    let mut story = sample::blocked();
    let first = story.flows[0].http[0].clone();
    let mut other = first.clone();
    other.host = Some("other.example".to_owned());
    other.frame = None;
    story.flows[0].http = vec![other, first];
    assert_eq!(events(&story)[2]["http"]["hostname"], "photos.example");
    story.findings[0].trigger_frame = None;
    assert_eq!(events(&story)[2]["http"]["hostname"], "photos.example");
}

#[test]
fn a_dns_flow_is_told_by_its_question() {
    let mut story = sample::blocked();
    story.flows[0].http.clear();
    story.flows[0].dns = vec![DnsExchange {
        id: 7,
        name: "photos.example".to_owned(),
        qtype: "A".to_owned(),
        ..DnsExchange::default()
    }];
    let event = &events(&story)[0];
    assert_eq!(event["app_proto"], "dns");
    let query = serde_json::json!(
        [{"type": "query", "id": 7, "rrname": "photos.example", "rrtype": "A"}]
    );
    assert_eq!(event["dns"]["query"], query);
}

#[test]
fn signatures_are_distinct() {
    let kinds = [
        Kind::Reset,
        Kind::Response,
        Kind::Dns,
        Kind::Tls,
        Kind::Handshake,
        Kind::Drop,
        Kind::Throttle,
    ];
    let ids: std::collections::BTreeSet<_> = kinds.map(|kind| signature(kind).0).into();
    assert_eq!(ids.len(), kinds.len());
}

#[test]
fn hostile_names_stay_in_their_strings() {
    let text = lines(&sample::hostile());
    assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)));
}
