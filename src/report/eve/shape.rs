//! The common objects of EVE, member by member.

use std::net::IpAddr;

use serde::Serialize;

use super::app::App;
use crate::evidence::{Finding, FlowEnd, FlowRecord};
use crate::report::json::Tagged;
use crate::wire::{Direction, Endpoint, Timestamp, Transport};

/// One line of the log.
#[derive(Serialize)]
pub(super) struct Event<'a, T> {
    pub(super) timestamp: String,
    pub(super) flow_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pcap_cnt: Option<u64>,
    #[serde(rename = "event_type")]
    kind: &'static str,
    src_ip: IpAddr,
    src_port: u16,
    dest_ip: IpAddr,
    dest_port: u16,
    pub(super) proto: &'static str,
    pub(super) pcap_filename: &'a str,
    pub(super) community_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alert: Option<Alert>,
    #[serde(flatten)]
    pub(super) app: App<'a>,
    pub(super) flow: FlowPart,
    tamperscope: Tagged<'a, T>,
}

impl<'a, T> Event<'a, T> {
    pub(super) fn new(
        kind: &'static str,
        (src, dest): (Endpoint, Endpoint),
        tamperscope: Tagged<'a, T>,
    ) -> Self {
        Self {
            timestamp: String::new(),
            flow_id: 0,
            pcap_cnt: None,
            kind,
            src_ip: src.ip,
            src_port: src.port,
            dest_ip: dest.ip,
            dest_port: dest.port,
            proto: "",
            pcap_filename: "",
            community_id: "",
            direction: None,
            alert: None,
            app: App::default(),
            flow: FlowPart::default(),
            tamperscope,
        }
    }
}

/// The signature that stands for a kind of finding.
#[derive(Serialize)]
pub(super) struct Alert {
    pub(super) action: &'static str,
    pub(super) gid: u32,
    pub(super) signature_id: u32,
    pub(super) rev: u32,
    pub(super) signature: &'static str,
    pub(super) category: &'static str,
    pub(super) severity: u8,
}

/// Totals of the flow. An alert has its endpoints too, since its own may be reversed; the flow
/// event has its end.
#[derive(Default, Serialize)]
pub(super) struct FlowPart {
    #[serde(flatten)]
    totals: Option<Totals>,
    #[serde(flatten)]
    tuple: Option<Tuple>,
    #[serde(flatten)]
    end: Option<End>,
}

#[derive(Serialize)]
struct Totals {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: String,
}

#[derive(Serialize)]
struct Tuple {
    src_ip: IpAddr,
    dest_ip: IpAddr,
    src_port: u16,
    dest_port: u16,
}

#[derive(Serialize)]
struct End {
    #[serde(rename = "end")]
    last: String,
    age: u64,
    state: &'static str,
    reason: &'static str,
    alerted: bool,
}

impl FlowPart {
    /// For a `flow` event.
    pub(super) fn ended(flow: &FlowRecord, alerted: bool) -> Self {
        let end = End {
            last: timestamp(flow.last),
            age: flow.last.since(flow.first).as_nanos() / 1_000_000_000,
            state: state(flow),
            reason: match flow.end {
                FlowEnd::Fin | FlowEnd::Reset | FlowEnd::Timeout => "timeout",
                FlowEnd::EndOfCapture => "shutdown",
                FlowEnd::Evicted => "forced",
            },
            alerted,
        };
        Self { totals: Some(Totals::of(flow)), tuple: None, end: Some(end) }
    }

    /// For an `alert` event.
    pub(super) fn alerted(finding: &Finding, flow: Option<&FlowRecord>) -> Self {
        let tuple = Tuple {
            src_ip: finding.client.ip,
            dest_ip: finding.server.ip,
            src_port: finding.client.port,
            dest_port: finding.server.port,
        };
        Self { totals: flow.map(Totals::of), tuple: Some(tuple), end: None }
    }
}

impl Totals {
    fn of(flow: &FlowRecord) -> Self {
        Self {
            pkts_toserver: flow.packets.to_server,
            pkts_toclient: flow.packets.to_client,
            bytes_toserver: flow.bytes.to_server,
            bytes_toclient: flow.bytes.to_client,
            start: timestamp(flow.first),
        }
    }
}

/// EVE's form of a time: six digits of a second and the offset without a colon.
pub(super) fn timestamp(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => {
            format!("{whole}.{}+0000", fraction.chars().take(6).collect::<String>())
        }
        None => text,
    }
}

pub(super) const fn proto(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}

pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => "to_server",
        Direction::ToClient => "to_client",
    }
}

fn state(flow: &FlowRecord) -> &'static str {
    match flow.end {
        FlowEnd::Fin | FlowEnd::Reset => "closed",
        _ if flow.packets.to_server > 0 && flow.packets.to_client > 0 => "established",
        _ => "new",
    }
}
