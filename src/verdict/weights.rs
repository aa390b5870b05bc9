//! The table of weights: what each signal is worth, and where that number comes from.
//!
//! A weight is a likelihood ratio in decibans: 10 means ten times as probable under interference
//! as without it. Counts such as "1 of 3,890" are benign captures on which the plain condition was
//! met. The captures behind them are test captures, no backbone: so a count of none is read as one
//! in a thousand at best, and weights stop well below what the counts alone would allow.

use crate::evidence::{Grade, Kind, Signal};

/// Version of the catalogue and its weights, told in the summary record.
pub const SIGNALS_VERSION: u32 = 8;

/// What a signal is worth.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weight {
    /// Decibans where its condition is met.
    pub full: f64,
    /// Decibans where it is met in part.
    pub half: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Weight {
    /// The weight at `grade`. A proof weighs what no sum of innocent marks outweighs.
    pub const fn at(self, grade: Grade) -> f64 {
        match grade {
            Grade::Half => self.half,
            Grade::Full => self.full,
            Grade::Proof => PROOF,
        }
    }
}

/// Decibans of a proof: about 30,000 to 1. Not more, because captures can be wrong too.
const PROOF: f64 = 45.0;

/// The log-odds, in decibans, before any fact of the flow is looked at.
#[expect(clippy::match_same_arms, reason = "a line for each kind, as they are fitted")]
pub(super) const fn prior(kind: Kind) -> f64 {
    match kind {
        // 15 to 25 % of connections carry a RST; few percent of these are forged even where
        // resets are a censor's habit (Sundara Raman and others, SIGCOMM 2023).
        Kind::Reset => -12.0,
        // Of odd answers most are a balancer's, a filter's at home or a resolver's own policy.
        Kind::Dns => -16.0,
        // An early fatal alert: a server's own refusal in nearly all cases.
        Kind::Tls => -18.0,
        // Silence after several copies: a dead host or a lost link in most cases.
        Kind::Drop => -12.0,
        // An answer that shows anything odd at all: nearly always a proxy or a balancer.
        Kind::Response => -14.0,
        Kind::Handshake => -18.0,
        // A ceiling: a plan, a full queue or a bad line in most cases.
        Kind::Throttle => -17.0,
    }
}

/// What `signal` weighs.
pub fn weight_of(signal: Signal) -> Weight {
    let row = TABLE.iter().find(|(of, _)| *of == signal);
    row.map_or(weight(0.0, 0.0, "no row"), |(_, weight)| *weight)
}

/// All weights, in the order of the catalogue.
const TABLE: &[(Signal, Weight)] = &[
    (
        Signal::RstSeqAhead,
        weight(20.0, 10.0, "0 of 3,890 benign captures; 28 flows of a capture of 2006"),
    ),
    (
        Signal::RstThenData,
        weight(
            17.0,
            12.0,
            "3 of 3,890 plainly met, all without a new place in the stream; fitted: 33+161 interfered, 0+32 innocent",
        ),
    ),
    (
        Signal::RstByTimer,
        weight(20.0, 10.0, "none seen in 3,890 benign captures; no stack has such a timer"),
    ),
    (
        Signal::RstBehindData,
        weight(
            4.0,
            3.0,
            "2 of 3,890; reordering is common elsewhere; fitted: 2+0 interfered, 7+0 innocent",
        ),
    ),
    (
        Signal::RstThenSynAck,
        weight(20.0, 9.0, "0 of 3,890; a capture of 2009; fitted: 0+0 interfered, 0+2 innocent"),
    ),
    (
        Signal::RstBadAck,
        weight(18.0, 8.0, "0 of 3,890; a capture of 2009; fitted: 15+0 interfered, 0+0 innocent"),
    ),
    (
        Signal::FinAckSkew,
        weight(12.0, 7.0, "none seen; captures from Iran; fitted: 22+0 interfered, 2+0 innocent"),
    ),
    (
        Signal::DataAfterFin,
        weight(
            16.0,
            8.0,
            "RFC 9293 section 3.6; as rst_then_data; fitted: 0+0 interfered, 0+1 innocent",
        ),
    ),
    (
        Signal::AnswerUnsaid,
        weight(
            18.0,
            8.0,
            "hand-set, as rst_then_data: scenarios (even of 0 to 299, odd of 601 to 899) 120+91 interfered, 0+0 innocent; 1 public capture in part, of a stack in a program",
        ),
    ),
    (
        Signal::SynAckConflict,
        weight(
            26.0,
            7.0,
            "3 of 3,890 (86 of 1,814 probe captures) for the plain condition; none with one SYN and foreign headers; fitted: 53+4 interfered, 0+3 innocent",
        ),
    ),
    (
        Signal::OverlapConflict,
        weight(
            20.0,
            11.0,
            "12 of 3,890 without the rule of direction, most of them padding; fitted: 0+10 interfered, 0+7 innocent",
        ),
    ),
    (
        Signal::CertificateSwap,
        weight(
            10.0,
            8.0,
            "no count yet: held so that it needs another family, for owners' own machines do the same; fitted: 108+0 interfered, 199+0 innocent",
        ),
    ),
    (
        Signal::BlockPage,
        weight(
            26.0,
            14.0,
            "1 of 3,890 once broad rows are left out; 50 with them; fitted: 134+0 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::OneVoice,
        weight(
            12.0,
            4.0,
            "hand-set: as residual, and no innocent cause but one owner of several domains",
        ),
    ),
    (
        Signal::RstFast,
        weight(
            17.0,
            8.0,
            "1 of 2,260 genuine resets (a VPN gateway); held down for gateways near users; fitted: 389+100 interfered, 0+67 innocent",
        ),
    ),
    (
        Signal::DataFast,
        weight(
            17.0,
            6.0,
            "as rst_fast, but proxies and caches answer for others daily; fitted: 691+12 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::SynAckFast,
        weight(
            9.0,
            4.0,
            "as rst_fast, held down for SYN proxies and anycast; fitted: 275+0 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::HandshakeFast,
        weight(
            19.0,
            4.0,
            "as rst_fast, held down for anycast and changes of route; fitted: 81+0 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::TimingMatch,
        weight(
            -4.0,
            0.0,
            "an injector near the user would have to wait on purpose; fitted: 197+0 interfered, 310+0 innocent",
        ),
    ),
    (
        Signal::TtlShift,
        weight(
            8.0,
            8.0,
            "28 % of genuine connections ended by a server differ: 10·log10(1/0.28); fitted: 1240+1619 interfered, 380+156 innocent",
        ),
    ),
    (
        Signal::RstTtlSplit,
        weight(
            10.0,
            10.0,
            "ttl_shift without its commonest innocent cause; held down for firewalls",
        ),
    ),
    (
        Signal::RstTtlNear,
        weight(
            13.0,
            13.0,
            "hand-set: ttl_shift without what stands before servers, held down for gateways; scenarios (even of 0 to 298) none innocent",
        ),
    ),
    (
        Signal::TtlMatch,
        weight(
            -5.0,
            0.0,
            "half of known injectors do not copy it; fitted: 140+0 interfered, 1462+0 innocent",
        ),
    ),
    (
        Signal::IpIdMirror,
        weight(
            12.0,
            6.0,
            "11 of 3,890, none from a real network; fitted: 88+239 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::IpIdBreak,
        weight(
            6.0,
            2.0,
            "balancers and per-flow counters break lines too; fitted: 698+5 interfered, 46+0 innocent",
        ),
    ),
    (
        Signal::DfBreak,
        weight(
            6.0,
            4.0,
            "benign captures, SYN/ACK against first data: DF lost in 10 of 1,205 flows, gained in 10 of 258; held as ipid_break",
        ),
    ),
    (
        Signal::IpIdMatch,
        weight(
            -2.0,
            -2.0,
            "a counter is hard to hit for who does not see it; fitted: 25+0 interfered, 60+0 innocent",
        ),
    ),
    (
        Signal::NoTimestamp,
        weight(
            21.0,
            2.0,
            "2 of 3,890 on data; on resets common; fitted: 571+870 interfered, 0+1467 innocent",
        ),
    ),
    (
        Signal::TsvalBreak,
        weight(
            10.0,
            3.0,
            "proxies; offsets for each connection; fitted: 29+0 interfered, 10+0 innocent",
        ),
    ),
    (
        Signal::TsvalMatch,
        weight(
            -3.0,
            -3.0,
            "a clock is hard to hit for who does not see it; fitted: 245+0 interfered, 289+0 innocent",
        ),
    ),
    (Signal::RstReserved, weight(12.0, 6.0, "0 of 3,890; a capture of 2009")),
    (
        Signal::RstWindow,
        weight(
            8.0,
            4.0,
            "benign captures: 0 of 749 bare RSTs, 3 of 117 with acknowledgment; held down for balancers and firewalls, which no public capture has",
        ),
    ),
    (
        Signal::WindowBreak,
        weight(
            8.0,
            4.0,
            "benign captures: none of 1,267 first answers with scaled windows in full, 10 of 1,543 in part; held as rst_window",
        ),
    ),
    (
        Signal::RstBurst,
        weight(
            0.0,
            0.0,
            "hosts that answer each segment do the same; fitted: 130+0 interfered, 296+0 innocent",
        ),
    ),
    (
        Signal::RstTrigger,
        weight(
            1.0,
            1.0,
            "a description: crashed back ends do the same; scenarios (to 899): 1877+0 interfered, 906+0 innocent",
        ),
    ),
    (
        Signal::TlsAlertEarly,
        weight(
            13.0,
            2.0,
            "a description: servers refuse names and versions daily; fitted: 440+0 interfered, 48+0 innocent",
        ),
    ),
    (
        Signal::Residual,
        weight(
            6.0,
            3.0,
            "rate limits do the same, but seldom after a forgery; fitted: 100+0 interfered, 11+0 innocent",
        ),
    ),
    (
        Signal::SamePlace,
        weight(6.0, 3.0, "no count yet: held as residual, for gateways near users"),
    ),
    (
        Signal::NameSingledOut,
        weight(7.0, 3.0, "hand-set, as a control in part: the chance counted allows 23 and 13"),
    ),
    (
        Signal::OrderlyClose,
        weight(
            -10.0,
            -10.0,
            "most genuine resets follow a close; fitted: 29+0 interfered, 1047+0 innocent",
        ),
    ),
    (
        Signal::DnsConflict,
        weight(
            18.0,
            4.0,
            "no two answers to any of 1,676 questions in 1,418 benign captures; doubled queries and balanced sets do it elsewhere; fitted: 29+1 interfered, 3+6 innocent",
        ),
    ),
    (
        Signal::DnsListed,
        weight(
            26.0,
            12.0,
            "as block_page; a resolver's own policy gives such answers too; fitted: 92+0 interfered, 0+0 innocent",
        ),
    ),
    (
        Signal::DnsBogus,
        weight(
            15.0,
            0.0,
            "0 of 1,418 benign captures in full; private and loopback answers are daily bread; fitted: 55+92 interfered, 1+5 innocent",
        ),
    ),
    (
        Signal::DnsFast,
        weight(
            12.0,
            6.0,
            "as data_fast; caches and anycast answer some names sooner; scenarios (to 899): 951+262 interfered, 13+2 innocent; in part held down for slow resolvers",
        ),
    ),
    (
        Signal::DnsHeaderBreak,
        weight(
            13.0,
            6.0,
            "one program behind an address sets its flags one way; scenarios (to 899): 701+377 interfered, 0+11 innocent",
        ),
    ),
    (
        Signal::DnsSplitByName,
        weight(
            13.0,
            7.0,
            "hand-set: 1 in 100 and 1 in 10 by chance, held down for owners' own gateways",
        ),
    ),
    (
        Signal::DnsFalseAgain,
        weight(
            18.0,
            13.0,
            "hand-set: leaves that the first answer was wrongly held to be false, of 2,962 sure findings 9",
        ),
    ),
    (Signal::DnsSenderAgain, weight(15.0, 7.0, "hand-set: less than dns_false_again")),
    (
        Signal::HelloUnanswered,
        weight(
            12.0,
            6.0,
            "alone in 160 interfered and 223 innocent flows of scenarios (450 to 749, odd), which dead machines behind SYN proxies make; no more than even odds without a control",
        ),
    ),
    (
        Signal::RequestUnanswered,
        weight(
            12.0,
            6.0,
            "alone in 160 interfered and 223 innocent flows of scenarios (450 to 749, odd), which dead machines behind SYN proxies make; no more than even odds without a control",
        ),
    ),
    (
        Signal::QueryUnanswered,
        weight(
            6.0,
            3.0,
            "resolvers that cannot reach a name's servers may be silent: never likely",
        ),
    ),
    (
        Signal::QuicUnanswered,
        weight(11.0, 5.0, "as hello_unanswered; UDP is closed on many networks"),
    ),
    (
        Signal::SynUnanswered,
        weight(
            7.0,
            4.0,
            "dead hosts and firewalls are daily bread; with a control in part 94 interfered and 63 innocent flows of scenarios (451 to 899, odd)",
        ),
    ),
    (
        Signal::DataUnanswered,
        weight(10.0, 4.0, "as hello_unanswered; lost radio links look the same"),
    ),
    (Signal::AckWithheld, weight(10.0, 4.0, "as hello_unanswered; lost radio links look the same")),
    (
        Signal::RatePoliced,
        weight(
            16.0,
            5.0,
            "hand-set: none of 1,624 public captures has it beside a faster flow; held down for up to 7 % of lossy transfers were policed, by plans (Flach and others, 2016)",
        ),
    ),
    (
        Signal::ControlPassed,
        weight(
            15.0,
            9.0,
            "hand-set, with what the silence alone is worth: leaves a server that treats names differently, and coincidence in time; in part, with hello or request 103 interfered and 1 innocent flow of scenarios (451 to 899, odd)",
        ),
    ),
    (
        Signal::ControlFaster,
        weight(
            15.0,
            7.0,
            "hand-set: as control_passed; in full it excludes a bucket that holds the whole line",
        ),
    ),
    (Signal::ControlFailed, weight(-12.0, -5.0, "hand-set: a path or server that is down")),
    (Signal::NamePassed, weight(-10.0, -5.0, "hand-set: devices seldom let a name through")),
    (Signal::NameRepeated, weight(6.0, 3.0, "hand-set: as residual")),
];

const fn weight(full: f64, half: f64, source: &'static str) -> Weight {
    Weight { full, half, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_its_row_in_the_order_of_the_catalogue() {
        let rows: Vec<Signal> = TABLE.iter().map(|(signal, _)| *signal).collect();
        assert_eq!(rows, Signal::ALL);
    }

    #[test]
    fn a_half_is_no_more_than_the_whole_and_speaks_for_the_same() {
        for (signal, Weight { full, half, source }) in TABLE {
            assert!(full.abs() >= half.abs() && full * half >= 0.0, "{}", signal.name());
            assert!(full.abs() <= 26.0 && !source.is_empty(), "{}", signal.name());
        }
    }
}
