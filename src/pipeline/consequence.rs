//! What a forged DNS answer led to: the client's later flows to the false address.
//!
//! Enters: all flow records that are told, with numbers, and all findings. A flow belongs to the
//! latest finding before it whose forged answers gave its client its server's address. It names the
//! finding ([`FlowRecord::led_here_by`]). Where something was found in it too, the finding names the
//! flow ([`Finding::led_to`]), and a finding without a name of its own gets the name that was looked
//! up: so findings are the same whether or not all flows are told.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::evidence::{Confidence, Finding, FlowRecord, HostSource, Kind};
use crate::wire::{Duration, Timestamp};

/// Joins `flows` to the `findings` that led to them.
pub(super) fn join(flows: &mut [FlowRecord], findings: &mut [Finding]) {
    let given = false_addresses(flows, findings);
    let own: HashSet<u64> = findings.iter().map(|finding| finding.flow).collect();
    let mut names: HashMap<u64, String> = HashMap::new();
    for flow in flows {
        let Some(place) = given.latest(flow) else { continue };
        let Some(finding) = findings.get_mut(place) else { continue };
        if own.contains(&flow.flow) {
            finding.led_to.push(flow.flow);
        }
        flow.led_here_by = Some(finding.id.clone());
        names.extend(finding.host.clone().map(|name| (flow.flow, name)));
    }
    for finding in findings.iter_mut().filter(|finding| finding.host.is_none()) {
        if let Some(name) = names.get(&finding.flow) {
            finding.host = Some(name.clone());
            finding.host_source = Some(HostSource::Correlation);
        }
    }
}

/// When each client was given which false address, and by which finding (its place).
#[derive(Default)]
struct Given(HashMap<(IpAddr, IpAddr), Vec<(Timestamp, usize)>>);

impl Given {
    /// The latest finding that gave the flow's client its server's address.
    fn latest(&self, flow: &FlowRecord) -> Option<usize> {
        let given = self.0.get(&(flow.client.ip, flow.server.ip))?;
        let before = given
            .iter()
            .filter(|(time, _)| *time <= flow.first && flow.first.since(*time) <= REMEMBERED_MAX);
        before.max().map(|(_, place)| *place)
    }
}

fn false_addresses(flows: &[FlowRecord], findings: &[Finding]) -> Given {
    let mut given = Given::default();
    for (place, finding) in findings.iter().enumerate() {
        if finding.kind != Kind::Dns || finding.confidence < Confidence::Likely {
            continue;
        }
        let flow = flows.binary_search_by_key(&finding.flow, |flow| flow.flow);
        let flow = flow.ok().and_then(|flow| flows.get(flow));
        let answers = flow.iter().flat_map(|flow| &flow.dns).flat_map(|asked| &asked.answers);
        let forged = answers.filter(|answer| finding.forged_frames.contains(&answer.frame));
        let addresses = forged.flat_map(|answer| &answer.data).filter_map(|data| data.parse().ok());
        for address in addresses {
            let clients = given.0.entry((finding.client.ip, address)).or_default();
            clients.push((finding.time, place));
        }
    }
    given
}

/// How long a false answer is taken to be remembered.
const REMEMBERED_MAX: Duration = Duration::from_secs(3600);
