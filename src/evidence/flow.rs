//! The flow record.

use schemars::JsonSchema;
use serde::Serialize;

use crate::wire::{Endpoint, FrameId, Timestamp, Transport};

/// A number for each direction.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct ByDirection {
    /// From the client to the server.
    pub to_server: u64,
    /// From the server to the client.
    pub to_client: u64,
}

/// How it is known who is the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoleSource {
    /// The handshake was seen.
    Handshake,
    /// From ports, names or the order of packets.
    Guessed,
}

/// How the flow ended, as far as the recording shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowEnd {
    /// Both sides closed.
    Fin,
    /// A RST was seen.
    Reset,
    /// Idle beyond the limit of its phase.
    Timeout,
    /// The recording ended first.
    EndOfCapture,
    /// Given up for want of room.
    Evicted,
}

/// What the TLS handshake told in the clear.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct TlsNames {
    /// Server name indication (RFC 6066 §3).
    pub sni: Option<String>,
    /// Application protocols offered (RFC 7301).
    pub alpn: Vec<String>,
    /// Versions offered, without GREASE.
    pub versions: Vec<String>,
    /// Encrypted ClientHello present: the outer name may be a cover.
    pub ech: bool,
    /// JA4 of the ClientHello.
    pub ja4: Option<String>,
    /// Version that the server chose.
    pub server_version: Option<String>,
    /// SHA-256 of the server's certificate (TLS 1.2 and older).
    pub certificate_sha256: Option<String>,
    /// Subject of that certificate.
    pub certificate_subject: Option<String>,
    /// Issuer of that certificate.
    pub certificate_issuer: Option<String>,
    /// Frame that completed the ClientHello.
    pub client_hello_frame: Option<FrameId>,
    /// Frame that completed the ServerHello.
    pub server_hello_frame: Option<FrameId>,
    /// A message was readable only by the tolerant parser.
    pub lenient: bool,
}

/// What a QUIC Initial told.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct QuicNames {
    /// Version.
    pub version: String,
    /// Server name indication.
    pub sni: Option<String>,
    /// Application protocols offered.
    pub alpn: Vec<String>,
    /// Encrypted ClientHello present: the outer name may be a cover.
    pub ech: bool,
    /// JA4 of the ClientHello.
    pub ja4: Option<String>,
    /// Frame that completed the ClientHello.
    pub client_hello_frame: Option<FrameId>,
    /// First frame in which the server answered, by whatever packet of the handshake.
    pub answer_frame: Option<FrameId>,
    /// Error code by which the server closed during the handshake.
    pub close_code: Option<u64>,
    /// The ClientHello was readable only by the tolerant parser.
    pub lenient: bool,
}

/// One HTTP request and its answer.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct HttpExchange {
    /// Host asked for, lower-case, without port.
    pub host: Option<String>,
    /// Method; null where only the answer was seen.
    pub method: Option<String>,
    /// Target as sent.
    pub target: Option<String>,
    /// Frame that completed the request head.
    pub frame: Option<FrameId>,
    /// Status of the final answer.
    pub status: Option<u16>,
    /// Frame that completed its head.
    pub status_frame: Option<FrameId>,
    /// A head was readable only by the tolerant parser.
    pub lenient: bool,
}

/// One DNS question and its answers.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct DnsExchange {
    /// Message ID.
    pub id: u16,
    /// Name asked for.
    pub name: String,
    /// Record type asked for.
    #[serde(rename = "type")]
    pub qtype: String,
    /// Frame of the question.
    pub frame: Option<FrameId>,
    /// How often the question was seen, sent again included.
    pub queries: u32,
    /// All answers, in order (the first 8).
    pub answers: Vec<DnsAnswer>,
}

/// One answer to a DNS question.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct DnsAnswer {
    /// Its frame.
    pub frame: FrameId,
    /// Response code.
    pub rcode: String,
    /// Answer records, as text: an address bare, all else behind its type.
    pub data: Vec<String>,
    /// Something is wrong with the message; `data` has what could be read.
    pub malformed: bool,
}

/// One flow, from its first frame to its last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct FlowRecord {
    /// Number, in order of first frame, from 1.
    pub flow: u64,
    /// Community ID (v1, seed 0).
    pub community_id: String,
    /// Transport protocol.
    pub proto: Transport,
    /// Who asked.
    pub client: Endpoint,
    /// Who was asked.
    pub server: Endpoint,
    /// How it is known who is who.
    pub roles: RoleSource,
    /// Path of the capture file of the first frame.
    pub capture: String,
    /// First frame.
    pub first_frame: FrameId,
    /// Last frame (in a later file its number starts again).
    pub last_frame: FrameId,
    /// Time of the first frame.
    pub first: Timestamp,
    /// Time of the last frame.
    pub last: Timestamp,
    /// Packets.
    pub packets: ByDirection,
    /// Payload bytes.
    pub bytes: ByDirection,
    /// SYN to SYN/ACK as seen at the tap, in microseconds.
    pub handshake_rtt_us: Option<u64>,
    /// What the TLS handshake told.
    pub tls: Option<TlsNames>,
    /// What the QUIC Initial told.
    pub quic: Option<QuicNames>,
    /// HTTP exchanges, in order (the first 64).
    pub http: Vec<HttpExchange>,
    /// DNS exchanges, in order: the first 64, and later ones that stand out.
    pub dns: Vec<DnsExchange>,
    /// The `id` of the finding whose forged DNS answer gave the client this server's address.
    pub led_here_by: Option<String>,
    /// How it ended.
    pub end: FlowEnd,
    /// Payload bytes missing from the capture.
    pub gaps: u64,
    /// Name of the pattern of the SIGCOMM 2023 form, as `PSH → RST`: a description.
    pub tampering_signature: Option<String>,
}
