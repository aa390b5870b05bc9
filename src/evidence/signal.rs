//! The signal catalogue: what can be seen, what it proves, what innocent causes it has.
//!
//! Weights are not here but in `verdict::weights`: this table says what a signal *means*.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use self::catalogue::CATALOGUE;

mod catalogue;

/// Signals of one family share their innocent causes, so only the strongest of them counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Sequence and acknowledgment numbers that one stack cannot have produced.
    Sequence,
    /// Two versions of the same bytes.
    Content,
    /// A known notice.
    Notice,
    /// When it came.
    Timing,
    /// TTL or hop limit.
    Ttl,
    /// IP identification.
    IpId,
    /// TCP timestamps.
    Timestamps,
    /// Other header fields.
    Header,
    /// What it came after.
    Pattern,
    /// What the same endpoints, or the same name, met in other flows.
    Repetition,
    /// What was sent and not answered.
    Silence,
    /// To what rate it was held.
    Rate,
    /// What flows for other names met on the same way at the same time.
    Control,
}

macro_rules! signals {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $family:ident;)*) => {
        /// Something that packets can show. The names are those of the records.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Signal {
            $($(#[$doc])* $variant,)*
        }

        impl Signal {
            /// All signals, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in records.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The family, of which only the strongest signal counts.
            pub const fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)* }
            }
        }
    };
}

signals! {
    /// A second RST that guesses ahead of the window.
    RstSeqAhead = "rst_seq_ahead", Sequence;
    /// The sender of a RST goes on as if it had never sent it.
    RstThenData = "rst_then_data", Sequence;
    /// A RST that is sent again and again by a retransmission timer.
    RstByTimer = "rst_by_timer", Sequence;
    /// A RST below data that the same sender has already sent.
    RstBehindData = "rst_behind_data", Sequence;
    /// A RST to a SYN, and then the SYN/ACK.
    RstThenSynAck = "rst_then_synack", Sequence;
    /// A RST to a SYN that acknowledges something else.
    RstBadAck = "rst_bad_ack", Sequence;
    /// A server's FIN that acknowledges a FIN which the client never sent.
    FinAckSkew = "fin_ack_skew", Sequence;
    /// The sender of a FIN goes on sending data beyond it.
    DataAfterFin = "data_after_fin", Sequence;
    /// The stated sender of an answer says later that it has not sent it.
    AnswerUnsaid = "answer_unsaid", Sequence;
    /// Two SYN/ACKs of different numbers to one SYN.
    SynAckConflict = "synack_conflict", Sequence;
    /// The same bytes of the stream twice, with different content.
    OverlapConflict = "overlap_conflict", Content;
    /// One name, and a certificate that nobody vouches for where other flows got another.
    CertificateSwap = "certificate_swap", Content;
    /// The page is a known blocking notice.
    BlockPage = "block_page", Notice;
    /// The same notice, or private authority, in the names of unrelated servers.
    OneVoice = "one_voice", Repetition;
    /// A reset sooner than the server could have reacted.
    RstFast = "rst_fast", Timing;
    /// An answer sooner than the server could have reacted.
    DataFast = "data_fast", Timing;
    /// A SYN/ACK in less than half the time of the other one.
    SynAckFast = "synack_fast", Timing;
    /// The whole connection was answered from nearer than the same address answers others.
    HandshakeFast = "handshake_fast", Timing;
    /// The answer took as long as the server needs.
    TimingMatch = "timing_match", Timing;
    /// TTL out of the range that this sender showed in this flow.
    TtlShift = "ttl_shift", Ttl;
    /// TTL out of the range of a sender whose own RSTs are in it.
    RstTtlSplit = "rst_ttl_split", Ttl;
    /// TTL of a sender from at most half as far as the stated one.
    RstTtlNear = "rst_ttl_near", Ttl;
    /// TTL as this sender's other packets have it.
    TtlMatch = "ttl_match", Ttl;
    /// IP identification copied from the packet that it answers.
    IpIdMirror = "ipid_mirror", IpId;
    /// IP identification off the sender's line.
    IpIdBreak = "ipid_break", IpId;
    /// The bit "don't fragment" otherwise than in all that the sender sent before.
    DfBreak = "df_break", IpId;
    /// IP identification that continues the sender's line.
    IpIdMatch = "ipid_match", IpId;
    /// Timestamps were negotiated, and the packet has none.
    NoTimestamp = "no_timestamp", Timestamps;
    /// Timestamp off the sender's line, or an echo of what was never sent.
    TsvalBreak = "tsval_break", Timestamps;
    /// Timestamps that continue the sender's line.
    TsvalMatch = "tsval_match", Timestamps;
    /// Reserved bits set on a RST.
    RstReserved = "rst_reserved", Header;
    /// A RST that offers a window, where stacks offer none or the connection's own.
    RstWindow = "rst_window", Header;
    /// A server's window that no receiver has, or unlike what it offered before.
    WindowBreak = "window_break", Header;
    /// Several RSTs at once.
    RstBurst = "rst_burst", Header;
    /// A RST right after the first client data that carries a name.
    RstTrigger = "rst_trigger", Pattern;
    /// The server's first word is a fatal TLS alert.
    TlsAlertEarly = "tls_alert_early", Pattern;
    /// The same endpoints had been hit for a name shortly before.
    Residual = "residual", Repetition;
    /// Packets in the names of several servers, near and far, came after just as long.
    SamePlace = "same_place", Repetition;
    /// One name is struck each time, and others of the same server never.
    NameSingledOut = "name_singled_out", Control;
    /// A close in good order came first.
    OrderlyClose = "orderly_close", Pattern;
    /// Two answers to one DNS query that contradict each other.
    DnsConflict = "dns_conflict", Content;
    /// A DNS answer that is known to be given in place of true ones.
    DnsListed = "dns_listed", Notice;
    /// A DNS answer that cannot be true.
    DnsBogus = "dns_bogus", Notice;
    /// A DNS answer sooner than the resolver ever answers.
    DnsFast = "dns_fast", Timing;
    /// DNS flags or EDNS otherwise than this resolver has them.
    DnsHeaderBreak = "dns_header_break", Header;
    /// A resolver's answers for some names come from nearer than those for all others.
    DnsSplitByName = "dns_split_by_name", Control;
    /// The address of an answer was shown to be a false answer to another question.
    DnsFalseAgain = "dns_false_again", Repetition;
    /// An answer of the make of proven forgeries, from where they come.
    DnsSenderAgain = "dns_sender_again", Repetition;
    /// A `ClientHello` that is sent again and never acknowledged.
    HelloUnanswered = "hello_unanswered", Silence;
    /// An HTTP request that is sent again and never acknowledged.
    RequestUnanswered = "request_unanswered", Silence;
    /// A DNS query that is sent again and never answered.
    QueryUnanswered = "query_unanswered", Silence;
    /// A QUIC Initial that is sent again and never answered.
    QuicUnanswered = "quic_unanswered", Silence;
    /// A SYN that is sent again and never answered.
    SynUnanswered = "syn_unanswered", Silence;
    /// After a name was let through, the connection is dead.
    DataUnanswered = "data_unanswered", Silence;
    /// A side goes on sending what the other has acknowledged.
    AckWithheld = "ack_withheld", Silence;
    /// A rate held by losses, as a token bucket does.
    RatePoliced = "rate_policed", Rate;
    /// Another flow of the same endpoints, for another name, passed at the same time.
    ControlPassed = "control_passed", Control;
    /// Another flow of the same client, for another name, was faster than the ceiling allows.
    ControlFaster = "control_faster", Control;
    /// Flows of the same endpoints for other names met the same.
    ControlFailed = "control_failed", Control;
    /// The same name passed between the same endpoints.
    NamePassed = "name_passed", Control;
    /// The same name met the same in other flows.
    NameRepeated = "name_repeated", Repetition;
}

impl Signal {
    /// What the catalogue says of it.
    pub fn entry(self) -> &'static SignalEntry {
        let place = Self::ALL.iter().position(|signal| *signal == self).unwrap_or_default();
        CATALOGUE.get(place).unwrap_or(&CATALOGUE[0])
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Signal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Signal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Signal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|signal| signal.name()).collect();
        schemars::json_schema!({"type": "string", "enum": names})
    }
}

/// One entry of the catalogue, in words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalEntry {
    /// The signal.
    pub signal: Signal,
    /// When it is seen.
    pub condition: &'static str,
    /// What it proves, or what it lends weight to.
    pub proves: &'static str,
    /// Innocent causes.
    pub innocent: &'static str,
    /// Where it is described.
    pub source: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_tells_every_signal_in_order() {
        for (signal, entry) in Signal::ALL.iter().zip(&CATALOGUE) {
            assert_eq!(*signal, entry.signal);
            assert_eq!(signal.entry().signal, *signal);
            assert!(entry.condition.len() > 20 && entry.proves.len() > 5, "{signal}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Signal::ALL.iter().map(|signal| signal.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Signal::ALL.len());
    }
}
