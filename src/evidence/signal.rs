//! The signal catalogue: what can be seen, what it proves, what innocent causes it has.
//!
//! Weights are not here but in `verdict::weights`: this table says what a signal *means*.

use std::fmt;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

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
    /// Two SYN/ACKs of different numbers to one SYN.
    SynAckConflict = "synack_conflict", Sequence;
    /// The same bytes of the stream twice, with different content.
    OverlapConflict = "overlap_conflict", Content;
    /// One name, and a certificate that nobody vouches for where other flows got another.
    CertificateSwap = "certificate_swap", Content;
    /// The page is a known blocking notice.
    BlockPage = "block_page", Notice;
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
    /// TTL as this sender's other packets have it.
    TtlMatch = "ttl_match", Ttl;
    /// IP identification copied from the packet that it answers.
    IpIdMirror = "ipid_mirror", IpId;
    /// IP identification off the sender's line.
    IpIdBreak = "ipid_break", IpId;
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
    /// Several RSTs at once.
    RstBurst = "rst_burst", Header;
    /// A RST right after the first client data that carries a name.
    RstTrigger = "rst_trigger", Pattern;
    /// The server's first word is a fatal TLS alert.
    TlsAlertEarly = "tls_alert_early", Pattern;
    /// The same endpoints had been hit for a name shortly before.
    Residual = "residual", Repetition;
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
    /// Another flow of the same endpoints, for another name, passed at the same time.
    ControlPassed = "control_passed", Control;
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

const fn entry(
    signal: Signal,
    condition: &'static str,
    proves: &'static str,
    innocent: &'static str,
    source: &'static str,
) -> SignalEntry {
    SignalEntry { signal, condition, proves, innocent, source }
}

/// The catalogue, in the order of [`Signal::ALL`].
static CATALOGUE: [SignalEntry; Signal::ALL.len()] = [
    entry(
        Signal::RstSeqAhead,
        "Two RSTs of one direction, less than 2 s apart and with no FIN before: the second's sequence number lies more than 2 above the first's, above all data which that side sent and above the peer's highest acknowledgment.",
        "An injector that guesses how far the window has moved meanwhile. A stack knows its own sequence number and does not guess.",
        "None known.",
        "Weaver, Sommer, Paxson 2009 (RST_SEQ_CHANGE)",
    ),
    entry(
        Signal::RstThenData,
        "After a RST from the server, the server sends data or a later acknowledgment on the same connection, at or beyond the RST's sequence number, with no new SYN between.",
        "The server did not know that it had reset the connection.",
        "Port reuse with the SYN missing from the capture, two taps mixed in one file, a load balancer that resets on behalf of a back end. Evasion tools on the client send such resets themselves: only the server's are counted.",
        "Weaver, Sommer, Paxson 2009 (DATA after RST); RFC 9293 section 3.5.2",
    ),
    entry(
        Signal::RstBehindData,
        "A RST whose sequence number lies below data already seen from its sender, and is not what the peer last acknowledged.",
        "It was built from an older state of the connection.",
        "Reordering before the tap; an abort with unsent data.",
        "Weaver, Sommer, Paxson 2009 (RST_SEQ_DATA)",
    ),
    entry(
        Signal::RstThenSynAck,
        "A RST that claims to come from the server answers a SYN; then a SYN/ACK acknowledges that same SYN, with no other SYN between.",
        "The server accepted the connection that it is said to have refused.",
        "A SYN sent again after the RST, if the capture lacks it.",
        "RFC 9293 section 3.10.7.2",
    ),
    entry(
        Signal::RstBadAck,
        "A RST+ACK to a SYN acknowledges a number other than the SYN's plus one.",
        "Its sender is no TCP stack.",
        "None known.",
        "RFC 9293 section 3.10.7.1",
    ),
    entry(
        Signal::FinAckSkew,
        "The server's FIN+ACK acknowledges one more than the client ever sent, as if the client had sent a FIN.",
        "A forged close that was computed as an answer to a close.",
        "The client's FIN is missing from the capture.",
        "Captures from Iran, 2022 and later",
    ),
    entry(
        Signal::DataAfterFin,
        "After a FIN from the server, the server sends data at or beyond the FIN's sequence number.",
        "The server did not know that it had closed: a stack sends no data after its FIN.",
        "Port reuse with the SYN missing from the capture.",
        "RFC 9293 section 3.6",
    ),
    entry(
        Signal::SynAckConflict,
        "A second SYN/ACK acknowledges the same SYN as the first, with another initial sequence number. Full weight where one SYN was seen and the headers differ; a proof where the server then also repeats its own number, or rejects the acknowledgment of the other.",
        "Two responders: a stack takes one initial sequence number for a connection, and repeats it.",
        "A SYN that was sent twice and met two machines behind one balancer; a SYN proxy in front of the server; a server that forgot the connection between two SYNs.",
        "RFC 9293 section 3.4.1; 3 of 86 probe and test captures for the plain condition",
    ),
    entry(
        Signal::OverlapConflict,
        "Two packets from the server claim the same bytes of the stream, and more than one byte differs.",
        "One of the copies is not the server's: TCP sends the same byte again or not at all.",
        "Link padding counted as data, keep-alive bytes, anonymised payloads, phone capture programs that write their own packets.",
        "RFC 9293 section 3.7; Fox-IT 2015 (Quantum Insert)",
    ),
    entry(
        Signal::CertificateSwap,
        "Up to TLS 1.2: a flow gets a certificate that is self-signed or does not hold for the name, while other flows for that name got one that an issuer vouches for.",
        "Somebody ends the connection with a certificate of their own making, where the packets come from elsewhere too.",
        "The owner's own test machine, a router's or company's page, an expired set-up. Two certificates of issuers (rotation, several content networks) are never counted. TLS 1.3 hides certificates, so nothing is told of it.",
        "RFC 5246 section 7.4.2; Iran, Syria and Kazakhstan as reported by EFF and Censored Planet",
    ),
    entry(
        Signal::BlockPage,
        "The answer matches a fingerprint of a blocking notice.",
        "The notice was shown in place of an answer. Who put it there the other signals tell.",
        "A page about the notice, or the notice's own site; a company's own filter.",
        "OONI, Citizen Lab and Censored Planet fingerprint lists; press reports named in the entry",
    ),
    entry(
        Signal::RstFast,
        "A RST follows the client's data in less than half the round trip that the handshake took, and that was above 4 ms.",
        "Its sender is nearer than the server.",
        "The user's own gateway or proxy, a performance-enhancing proxy, anycast; a reset that answers no data and came at that moment by chance. Tells nothing where the tap is near the server.",
        "Measured on captures from Iran (3 ms against 80 to 88) and China (2 to 17 ms against 143 to 290)",
    ),
    entry(
        Signal::DataFast,
        "The answer follows the request in less than half the round trip that the handshake took, and that was above 4 ms.",
        "Its sender is nearer than the server.",
        "The user's own gateway or proxy, a performance-enhancing proxy, anycast.",
        "As rst_fast",
    ),
    entry(
        Signal::SynAckFast,
        "Of two SYN/ACKs to one SYN, the suspect took less than half the time of the other, which took 8 ms or more.",
        "Its sender is nearer than the server.",
        "A SYN proxy, anycast; a SYN that was sent twice is never counted.",
        "As rst_fast",
    ),
    entry(
        Signal::HandshakeFast,
        "The handshake took less than half of the least that the same server address took in other flows, which was 8 ms or more.",
        "The connection was answered from nearer than that address.",
        "Anycast, a change of route, a client that is nearer to the server than the others.",
        "As rst_fast",
    ),
    entry(
        Signal::TimingMatch,
        "The packet came no sooner than the server's own round trip allows.",
        "Nothing; it takes weight from the suspicion.",
        "-",
        "As rst_fast",
    ),
    entry(
        Signal::TtlShift,
        "TTL or hop limit more than 2 outside the range that this sender showed in this flow.",
        "Nothing by itself; the packet took another way, or started elsewhere.",
        "Load balancers, NAT, SYN proxies, a change of route. 28 % of genuine connections ended by a server differ.",
        "Weaver, Sommer, Paxson 2009; Sundara Raman and others, SIGCOMM 2023",
    ),
    entry(
        Signal::TtlMatch,
        "TTL or hop limit as this sender's other packets have it.",
        "Nothing; an injector can copy it. It takes weight from the suspicion.",
        "-",
        "As ttl_shift",
    ),
    entry(
        Signal::IpIdMirror,
        "IP identification equal to, or one above, that of the client's packet which it answers, with the window copied too.",
        "It was built from the packet that its sender saw.",
        "Traffic in which both sides use a constant identification.",
        "Measured on captures of 2009 and 2015",
    ),
    entry(
        Signal::IpIdBreak,
        "IP identification off the sender's line, where the sender has a line.",
        "Nothing by itself.",
        "Load balancers. Linux sends SYN/ACK and RST with identification 0 and DF, which is never counted.",
        "Weaver, Sommer, Paxson 2009",
    ),
    entry(
        Signal::IpIdMatch,
        "IP identification that continues the sender's own line.",
        "Nothing; it takes weight from the suspicion.",
        "-",
        "As ipid_break",
    ),
    entry(
        Signal::NoTimestamp,
        "TCP timestamps were negotiated, and the packet carries none.",
        "On data: its sender does not follow the connection (a stack must send them). On a RST: little.",
        "Resets of stacks that forgot the connection, and of large content networks, have none.",
        "RFC 7323 section 3.2",
    ),
    entry(
        Signal::TsvalBreak,
        "Timestamp outside the sender's line, or an echo of a value that the peer never sent.",
        "Nothing by itself.",
        "Proxies; stacks with an offset for each connection.",
        "RFC 7323 section 5.4",
    ),
    entry(
        Signal::TsvalMatch,
        "Timestamps that continue the sender's own line.",
        "Nothing; it takes weight from the suspicion.",
        "-",
        "As tsval_break",
    ),
    entry(
        Signal::RstReserved,
        "Reserved bits are set on a RST.",
        "It was built from a template.",
        "None seen.",
        "RFC 9293 section 3.1; a capture of January 2009",
    ),
    entry(
        Signal::RstBurst,
        "Two to five RSTs within 10 ms, from one sender.",
        "Nothing by itself; several injectors, or one that makes sure.",
        "One frame captured twice; a host that answers each segment.",
        "Weaver, Sommer, Paxson 2009",
    ),
    entry(
        Signal::RstTrigger,
        "A RST is the first thing to follow the client's first data that carries a name.",
        "Nothing by itself; it weighs with repetition on one name and success on others.",
        "A crashed back end; the server's own access control.",
        "Sundara Raman and others, SIGCOMM 2023",
    ),
    entry(
        Signal::TlsAlertEarly,
        "A fatal alert in the clear is the first record that the server sends, before any ServerHello.",
        "Nothing by itself; it weighs with data_fast, no_timestamp or ttl_shift on the same packet.",
        "The server's own refusal: of the name (RFC 6066 section 3), of the versions or ciphers offered.",
        "RFC 8446 section 6.2",
    ),
    entry(
        Signal::Residual,
        "The suspect packet answers a packet without a name, within 180 s after a finding of likely or above whose trigger named a host, between the same client and server.",
        "It confirms a device that remembers: each connection by itself would have been let through.",
        "A server that refuses a client for a while (rate limits), after a finding that was wrong.",
        "Bock and others, Your Censor is My Censor, WOOT 2021; 180 s and 90 s in China, 180 s in Iran",
    ),
    entry(
        Signal::OrderlyClose,
        "The connection had been closed in good order, or answered in full, before the suspect packet.",
        "Nothing; a RST after a close is ordinary.",
        "-",
        "RFC 9293 section 3.6",
    ),
    entry(
        Signal::DnsConflict,
        "Two answers to one query (same ports, id, name and type), within 5 s, that contradict each other: addresses of different networks, or an address and the denial that there is one.",
        "One of the two is not the resolver's: it sends one answer to one query. Proof where the query was sent once, the answers came within a second and their headers differ as two senders' do.",
        "The client asked again, and a balanced set rotated; a capture that lacks the second query. As many honest answers are allowed for as queries were seen.",
        "Anonymous 2012, The Collateral Damage of Internet Censorship by DNS Injection; Duan and others 2012, Hold-On",
    ),
    entry(
        Signal::DnsListed,
        "The answer has an address or a name that is listed as given in place of true answers.",
        "A known false answer. Whether it was put in on the way or is the resolver's own, the other signals tell.",
        "The resolver's own policy or a court's order; split-horizon names and sinkholes. Broad addresses such as 127.0.0.1 do not count here.",
        "OONI and Citizen Lab fingerprint lists; papers named in the built-in list",
    ),
    entry(
        Signal::DnsBogus,
        "The answer cannot be true: records of another type than was asked for, an IPv6 address in the tunnel prefix 2001::/32, an address in a block that is never routed, or a malformed message; in part, a private or loopback address for a public name.",
        "Its sender does not look names up.",
        "Broken resolvers; advertisement blockers, split-horizon names and block lists answer with private and loopback addresses every day, so these weigh little.",
        "Hoang and others 2021, How Great is the Great Firewall?; RFC 6890",
    ),
    entry(
        Signal::DnsFast,
        "The answer came in less than half the time that the same resolver's quickest other answers took.",
        "It was sent from nearer than the resolver, or held in readiness.",
        "A forwarder at home that had this one name in its cache; another node of an anycast address.",
        "Duan and others 2012, Hold-On: Protecting Against On-Path DNS Poisoning",
    ),
    entry(
        Signal::DnsHeaderBreak,
        "The flags AA or RA are otherwise than in the resolver's other answers, or EDNS was asked for and is missing though the resolver otherwise has it.",
        "Lends weight: another program built the answer.",
        "Several programs behind one address; a forwarder that answers some names itself.",
        "RFC 1035 section 4.1.1; RFC 6891 section 6.1.1; Anonymous 2014, Towards a Comprehensive Picture of the Great Firewall's DNS Censorship",
    ),
    entry(
        Signal::HelloUnanswered,
        "After a complete handshake the ClientHello is sent again and never acknowledged: in full four times or more over 1.5 s, in part three times over half a second.",
        "Nothing by itself. Beside a control (control_passed) it shows that this name's packets are swallowed.",
        "Loss, a dead host, a path on which large packets are lost (MTU black hole), an overloaded server, a radio link that was lost.",
        "Bock and others 2021, Your Censor is My Censor (Iran); Xue and others, TSPU, IMC 2022 (Russia)",
    ),
    entry(
        Signal::RequestUnanswered,
        "The same of an HTTP request.",
        "As hello_unanswered.",
        "As hello_unanswered.",
        "As hello_unanswered; Weinberg and others 2021",
    ),
    entry(
        Signal::QueryUnanswered,
        "A DNS query is asked three times or more over 4 s without any answer, though the recording goes on for 10 s after it; in part twice over 5 s. Queries for the same name and type from several ports count together.",
        "Nothing by itself. Beside a control it shows that this name's queries, or the answers to them, are swallowed.",
        "A resolver that cannot reach the name's own servers and does not say so, a rate limit, loss.",
        "RFC 1035 section 4.2.1; RFC 2308 section 7 (a resolver that gives up says SERVFAIL)",
    ),
    entry(
        Signal::QuicUnanswered,
        "QUIC Initials that name a host are sent again over a second or more, and nothing comes back.",
        "Nothing by itself. Beside a QUIC flow for another name to the same server that was answered, it shows that this name's packets are swallowed.",
        "UDP port 443 closed to everybody, which is common; a server without QUIC; loss.",
        "Elmenhorst and others, Web Censorship Measurements of HTTP/3, IMC 2021; Zohaib and others, USENIX Security 2025 (China)",
    ),
    entry(
        Signal::SynUnanswered,
        "A SYN is sent three times or more, and nothing comes back.",
        "Nothing by itself. Beside flows that the same server answered, and after a finding between the same endpoints, it shows a block of the address.",
        "A dead host, a firewall of the server's own, a limit on connections, scanners.",
        "Sundara Raman and others, SIGCOMM 2023 (SYN, then nothing)",
    ),
    entry(
        Signal::DataUnanswered,
        "After a packet that named a host, the client's later data are sent again and never acknowledged.",
        "Nothing by itself. Beside a control it shows a connection that was cut off silently after its trigger.",
        "A radio link that was lost, a host that died, an address translation that forgot the connection.",
        "Xue and others, TSPU, IMC 2022 (delayed drops)",
    ),
    entry(
        Signal::AckWithheld,
        "One side sends the same data three times or more, though the other side, as the capture shows, has acknowledged them.",
        "Nothing by itself: its peer's packets are lost beyond the capture point, in one direction. Beside a control it shows that they are swallowed.",
        "Loss in one direction, asymmetric routes.",
        "RFC 9293 section 3.10.7.4",
    ),
    entry(
        Signal::ControlPassed,
        "Another flow of the same client to the same port of the same server, for another name, was answered while the silence lasted, or both before and after it within two minutes. In part: on one side only, or another server of the same prefix (/24, /48).",
        "Path and server were alive for other names: the name, and nothing else that this capture shows, makes the difference.",
        "A server that treats its names differently; machines behind one address of which one is dead.",
        "The rule of control measurements: OONI Web Connectivity; Weaver, Sommer, Paxson 2009",
    ),
    entry(
        Signal::ControlFailed,
        "Within two minutes flows of the same client to the same server for other names met the same.",
        "Nothing; it speaks for a path or server that was down, whatever the name.",
        "-",
        "As control_passed",
    ),
    entry(
        Signal::NamePassed,
        "Within two minutes the same name passed between the same client and server.",
        "Nothing; it speaks for chance.",
        "-",
        "As control_passed",
    ),
    entry(
        Signal::NameRepeated,
        "Three flows or more for the same name met the same; in part two.",
        "Chance does not choose by name.",
        "A server that is dead for this name.",
        "As control_passed",
    ),
];

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
