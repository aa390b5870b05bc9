//! What the place of the tap let nobody see.

use schemars::JsonSchema;
use serde::Serialize;

use super::Signal;

/// How the TCP connections that carried payload were seen, and which signals were therefore out of
/// reach. Without a finding, what was out of reach may still have happened.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, JsonSchema)]
pub struct Reach {
    /// TCP connections that carried payload.
    pub connections: u64,
    /// Of these, packets to the server alone were captured.
    pub to_server_only: u64,
    /// Packets to the client alone were captured.
    pub to_client_only: u64,
    /// The opening was not captured, or only in part.
    pub without_handshake: u64,
    /// The tap stands beside the server, or the round trip from the tap to what answers, which may be
    /// a proxy or portal in the server's name, is 4 ms or less: nobody can be seen to be nearer, and
    /// what was sent to the client need not pass the tap.
    pub near_server: u64,
    /// Signals that could not be looked for in half of the connections or more.
    pub out_of_reach: Vec<Signal>,
}
