//! The finding: one for each flow and kind.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Policed, Weighed};
use crate::wire::{Direction, Endpoint, FrameId, Timestamp, Transport, Ttl};

/// What was done to the connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A forged RST or FIN.
    Reset,
    /// A substituted or injected HTTP response, or other stream content.
    Response,
    /// A forged DNS answer.
    Dns,
    /// A forged TLS alert or a substituted certificate.
    Tls,
    /// A forged SYN/ACK.
    Handshake,
    /// Packets swallowed after a trigger, or an address made unreachable.
    Drop,
    /// A policed rate.
    Throttle,
}

impl Kind {
    /// Its name in records and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Response => "response",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Drop => "drop",
            Self::Throttle => "throttle",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure; computed from the facts by one rule (`verdict`), never typed in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Worth a look; an innocent cause is about as good an explanation.
    Possible,
    /// Independent facts agree; an innocent cause would be a coincidence.
    Likely,
    /// The packets themselves prove a third party.
    Confirmed,
}

impl Confidence {
    /// Its name in records, options and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Confirmed => "confirmed",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the name of the host was learnt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostSource {
    /// The TLS server name indication (RFC 6066 §3).
    Sni,
    /// The host of the HTTP request (RFC 9110 §7.2).
    Http,
    /// The server name in a QUIC Initial.
    Quic,
    /// The DNS question.
    Dns,
    /// Another flow.
    Correlation,
}

/// What a frame has to do with a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FrameRole {
    /// It set the interference off.
    Trigger,
    /// It is held to be forged.
    Forged,
    /// It contradicts a forged one.
    Genuine,
    /// A fact points at it.
    Evidence,
}

/// A frame of a finding with its file: a flow may cross files, where numbers start again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct RoledFrame {
    /// What it has to do with the finding.
    pub role: FrameRole,
    /// Path of its capture file.
    pub capture: String,
    /// Its number there.
    pub frame: FrameId,
}

/// What forged packets tell about their sender. A range with a caveat, never an identification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Injector {
    /// `to_client`, `to_server` or `both`.
    #[serde(serialize_with = "direction_or_both")]
    #[schemars(with = "String")]
    pub direction: Option<Direction>,
    /// Initial TTL, guessed.
    pub initial_ttl: Option<Ttl>,
    /// Fewest hops from the capture point, if the guess is right and the TTL was not chosen.
    pub hops_min: Option<u8>,
    /// Most hops from the capture point.
    pub hops_max: Option<u8>,
    /// Hops that the server's own packets took.
    pub server_hops: Option<u8>,
    /// Name of a known device whose marks fit.
    pub fingerprint: Option<String>,
    /// Whether it sits in the path (swallowed the original) or beside it.
    pub in_path: Option<bool>,
}

/// The page that stood in for the answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct BlockPage {
    /// Status code.
    pub status: Option<u16>,
    /// Title of the page, white space folded.
    pub title: Option<String>,
    /// Character encoding and, in brackets, how it was learnt.
    pub charset: Option<String>,
    /// The first 2,000 characters, decoded.
    pub text: String,
    /// SHA-256 of the raw body as kept (the first 64 KiB), in hex.
    pub sha256: String,
    /// The Location header.
    pub location: Option<String>,
    /// Name of the fingerprint that it matches.
    pub fingerprint: Option<String>,
}

/// What a residual block hangs on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
pub enum Tuple {
    /// Client and server.
    #[serde(rename = "2-tuple")]
    Two,
    /// Client, server and its port.
    #[serde(rename = "3-tuple")]
    Three,
    /// Client and server with both ports.
    #[serde(rename = "4-tuple")]
    Four,
}

impl Tuple {
    /// In words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Two => "this client and this server",
            Self::Three => "this client and this port of the server",
            Self::Four => "this port of the client and this port of the server",
        }
    }
}

/// How a flow was hit after another one had set the device off.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Residual {
    /// How long after: the block had lasted for so long at least.
    pub seconds: f64,
    /// What both flows have in common.
    pub tuple: Tuple,
}

/// Interference in one flow, with its evidence.
#[derive(Clone, PartialEq, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Stable: a digest of the capture's first frame, flow key, kind and first forged frame.
    pub id: String,
    /// What was done.
    pub kind: Kind,
    /// How sure.
    pub confidence: Confidence,
    /// The probability that `confidence` stands for, 0 to 1.
    pub score: f64,
    /// The name concerned.
    pub host: Option<String>,
    /// Where the name was learnt.
    pub host_source: Option<HostSource>,
    /// Number of the flow, in order of first frame.
    pub flow: u64,
    /// Community ID of the flow (v1, seed 0).
    pub community_id: String,
    /// Transport protocol.
    pub proto: Transport,
    /// Who asked.
    pub client: Endpoint,
    /// Who was asked.
    pub server: Endpoint,
    /// Path of the capture file that `frame` numbers refer to.
    pub capture: String,
    /// Time of the first forged packet, or of the trigger where nothing was forged.
    pub time: Timestamp,
    /// The packet that set it off.
    pub trigger_frame: Option<FrameId>,
    /// Frames held to be forged.
    pub forged_frames: Vec<FrameId>,
    /// Frames that contradict them.
    pub genuine_frames: Vec<FrameId>,
    /// All frames that matter, with their files.
    pub frames: Vec<RoledFrame>,
    /// What speaks for it.
    pub evidence: Vec<Weighed>,
    /// What speaks against it.
    pub against: Vec<Weighed>,
    /// Innocent causes that this capture does not exclude.
    pub alternatives: Vec<String>,
    /// The `id` of the finding whose trigger set off this flow's blocking.
    pub residual_of: Option<String>,
    /// Numbers of the flows with findings of their own that the client opened to an address which
    /// this forged DNS answer gave it. All its flows there tell so themselves (`led_here_by`).
    pub led_to: Vec<u64>,
    /// How long after that, and on what it hangs.
    pub residual: Option<Residual>,
    /// Number of the flow for another name that fared better on the same way at the same time: for
    /// `drop` and `throttle`, of which nothing above `possible` is told without one.
    pub control_flow: Option<u64>,
    /// To what rate the flow was held, for `throttle`.
    pub policed: Option<Policed>,
    /// What the forged packets tell about their sender.
    pub injector: Option<Injector>,
    /// The page that stood in for the answer.
    pub block_page: Option<BlockPage>,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn direction_or_both<S: serde::Serializer>(
    direction: &Option<Direction>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match direction {
        Some(direction) => direction.serialize(serializer),
        None => serializer.serialize_str("both"),
    }
}
