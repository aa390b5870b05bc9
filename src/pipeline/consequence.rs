//! What forged DNS answers led to: the client's later flows to the false address, and accesses that
//! were none.
//!
//! Enters: all flow records that are told, with numbers, and all findings. A flow belongs to the
//! latest finding before it whose forged answers gave its client its server's address. It names the
//! finding ([`FlowRecord::led_here_by`]). Where something was found in it too, the finding names the
//! flow ([`Finding::led_to`]), and a finding without a name of its own gets the name that was looked
//! up: so findings are the same whether or not all flows are told.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::correlate::FalseAnswers;
use crate::evidence::{Confidence, DnsAnswer, DnsExchange, Finding, FlowRecord, HostSource, Kind};
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

/// What the forged answers gave, and the others beside them.
pub(super) fn false_answers(flows: &[FlowRecord], findings: &[Finding]) -> FalseAnswers {
    let mut given = FalseAnswers::default();
    for (_, finding, asked) in accused(flows, findings) {
        for answer in &asked.answers {
            let forged = finding.forged_frames.contains(&answer.frame);
            given.add(&asked.name, addresses(answer), forged);
        }
    }
    given
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
    for (place, finding, asked) in accused(flows, findings) {
        let forged =
            asked.answers.iter().filter(|answer| finding.forged_frames.contains(&answer.frame));
        for address in forged.flat_map(addresses) {
            let clients = given.0.entry((finding.client.ip, address)).or_default();
            clients.push((finding.time, place));
        }
    }
    given
}

fn addresses(answer: &DnsAnswer) -> impl Iterator<Item = IpAddr> {
    answer.data.iter().filter_map(|data| data.parse().ok())
}

/// The exchanges of flows in which forged answers were found, with the place of the finding.
fn accused<'a>(
    flows: &'a [FlowRecord],
    findings: &'a [Finding],
) -> impl Iterator<Item = (usize, &'a Finding, &'a DnsExchange)> {
    let sure =
        |finding: &Finding| finding.kind == Kind::Dns && finding.confidence >= Confidence::Likely;
    let told = findings.iter().enumerate().filter(move |(_, finding)| sure(finding));
    told.flat_map(|(place, finding)| {
        let flow = flows.binary_search_by_key(&finding.flow, |flow| flow.flow);
        let flow = flow.ok().and_then(|flow| flows.get(flow));
        let exchanges = flow.into_iter().flat_map(|flow| &flow.dns);
        exchanges.map(move |asked| (place, finding, asked))
    })
}

/// How long a false answer is taken to be remembered.
const REMEMBERED_MAX: Duration = Duration::from_secs(3600);
