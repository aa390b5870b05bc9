//! `--format eve`: findings and flows in the shape of Suricata's EVE log, one object a line.
//!
//! Programs that read Suricata's `eve.json` read this: members keep the names, types and places of
//! the EVE index (Suricata 8, "EVE Index"). A finding is an `alert` event, a flow a `flow` event.
//! What EVE has no place for stands under `tamperscope`: the whole record of the contract.
//!
//! Three things differ from what Suricata would write. `flow_id` is the number of the flow in the
//! recording, not a random number: `community_id` joins logs of several tools. `bytes_toserver` and
//! `bytes_toclient` count payload, without headers. An alert about forged packets has the
//! addresses of the first of them, as Suricata has those of the packet that matched, so its source
//! is the *claimed* sender; where its direction is not known, the client comes first and
//! `direction` is absent.

mod app;
mod shape;

use std::io::{self, Write};

use self::app::App;
use self::shape::{Alert, Event, FlowPart};
use super::json::{self, Tagged};
use crate::evidence::{Confidence, Finding, FlowRecord, Kind};
use crate::wire::Direction;

/// Writes EVE events.
#[derive(Debug)]
pub struct Eve<W: Write> {
    out: W,
}

impl<W: Write> Eve<W> {
    /// Events go to `out`, one write for each piece: give it a buffered writer.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a `flow` event; `alerted` says whether the flow has a finding.
    pub fn flow(&mut self, flow: &FlowRecord, alerted: bool) -> io::Result<()> {
        let mut event = Event::new("flow", (flow.client, flow.server), Tagged::new("flow", flow));
        event.timestamp = shape::timestamp(flow.last);
        event.flow_id = flow.flow;
        event.proto = shape::proto(flow.proto);
        event.pcap_filename = &flow.capture;
        event.community_id = &flow.community_id;
        event.app = App::of_flow(flow);
        event.flow = FlowPart::ended(flow, alerted);
        json::write_line(&mut self.out, &event)
    }

    /// Writes a finding as an `alert` event, with the names of its `flow` if that is at hand.
    pub fn alert(&mut self, finding: &Finding, flow: Option<&FlowRecord>) -> io::Result<()> {
        let forged = finding.forged_frames.first();
        let direction = match forged {
            Some(_) => finding.injector.as_ref().and_then(|injector| injector.direction),
            None => finding.trigger_frame.map(|_| Direction::ToServer),
        };
        let tuple = match direction {
            Some(Direction::ToClient) => (finding.server, finding.client),
            Some(Direction::ToServer) | None => (finding.client, finding.server),
        };
        let mut event = Event::new("alert", tuple, Tagged::new("finding", finding));
        event.timestamp = shape::timestamp(finding.time);
        event.flow_id = finding.flow;
        event.pcap_cnt = forged.or(finding.trigger_frame.as_ref()).map(|frame| frame.number());
        event.proto = shape::proto(finding.proto);
        event.pcap_filename = &finding.capture;
        event.community_id = &finding.community_id;
        event.direction = direction.map(shape::direction);
        event.alert = Some(alert(finding));
        event.app = App::of_finding(finding, flow);
        event.flow = FlowPart::alerted(finding, flow);
        json::write_line(&mut self.out, &event)
    }

    /// The writer, as it is: flushing it is the caller's.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Generator of all alerts: above those that Suricata and Snort use, so that signature numbers
/// cannot clash with anybody's rules.
pub const GENERATOR_ID: u32 = 1_000_000;

/// Revision of the signatures.
const REVISION: u32 = 1;

fn alert(finding: &Finding) -> Alert {
    let (signature_id, signature) = signature(finding.kind);
    Alert {
        action: "allowed",
        gid: GENERATOR_ID,
        signature_id,
        rev: REVISION,
        signature,
        category: "Connection tampering",
        severity: match finding.confidence {
            Confidence::Confirmed => 1,
            Confidence::Likely => 2,
            Confidence::Possible => 3,
        },
    }
}

/// Number and name of a kind's signature. They are never given to another kind.
const fn signature(kind: Kind) -> (u32, &'static str) {
    match kind {
        Kind::Reset => (1, "TAMPERSCOPE forged RST or FIN"),
        Kind::Response => (2, "TAMPERSCOPE substituted or injected response"),
        Kind::Dns => (3, "TAMPERSCOPE forged DNS answer"),
        Kind::Tls => (4, "TAMPERSCOPE forged TLS alert or substituted certificate"),
        Kind::Handshake => (5, "TAMPERSCOPE forged SYN/ACK"),
        Kind::Drop => (6, "TAMPERSCOPE packets swallowed after a trigger"),
        Kind::Throttle => (7, "TAMPERSCOPE policed rate"),
    }
}

#[cfg(test)]
mod tests;
