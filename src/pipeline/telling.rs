//! Outcomes into records: numbers, paths, ids and totals, once all lanes are done.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::beside::{Beside, merged};
use super::closing::{Ended, Found, LimitCounts};
use super::intake::Intake;
use super::joining::{
    Origin, join_certificates, join_haste, join_haste_of_all, join_rates, join_refusals,
    join_residual, join_silence,
};
use super::proxied::join_proxied;
use super::reach::ReachTally;
use super::refused::Refused;
use super::resolvers::Resolvers;
use super::shares::side_by_side;
use super::{Analysis, Openings, Outcome, Settings};
use super::{consequence, dns};
use crate::capture::{Compression, FileReport, Format, Interface};
use crate::correlate::{Book, HostTally};
use crate::decode::{FragmentConflict, SkipCounts};
use crate::detect::dns::Forgeries;
use crate::evidence::{
    CaptureRecord, CompressionName, Confidence, DamageRecord, Finding, FlowRecord, FormatName,
    FragmentConflictRecord, FrameRole, HostRecord, InterfaceRecord, Kind, Reach, RoledFrame,
    ServiceRecord, Summary, Suspicion, ToolRecord,
};
use crate::verdict::SIGNALS_VERSION;
use crate::wire::{FrameId, Transport};

/// Turns outcomes into records.
pub(super) struct Telling<'a> {
    pub(super) files: &'a [FileReport],
    pub(super) intake: Intake,
    pub(super) settings: &'a Settings,
}

impl Telling<'_> {
    /// The records of what the lanes found.
    pub(super) fn tell(&self, lanes: Vec<Outcome>) -> Analysis {
        let mut flows = Vec::new();
        let mut tallies = Vec::new();
        let mut besides = Vec::new();
        let mut refused = Vec::new();
        let mut openings = Vec::new();
        let mut limits = LimitCounts::default();
        let mut reach = ReachTally::default();
        for lane in lanes {
            flows.extend(lane.flows);
            tallies.push(lane.hosts);
            besides.push(Beside {
                certificates: lane.certificates,
                passages: lane.passages,
                acceptances: lane.acceptances,
                swifts: lane.swifts,
                resolvers: lane.resolvers,
            });
            refused.extend(lane.refused.take_flows());
            openings.push(lane.openings);
            limits.add(lane.limits);
            reach.merge(lane.reach);
        }
        let (mut tally, mut beside) = merged(tallies, besides);
        limits.controls_given_up = beside.full();
        flows.extend(beside.resolvers.take_flows());
        flows.append(&mut refused);
        let compared = flows.iter().filter(|ended| ended.refusal.is_some()).count();
        limits.refused = limits.refused.saturating_sub(compared.min(Refused::FLOWS_MAX) as u64);
        self.join(&mut flows, &beside);
        // Of flows that were kept only to be judged most show nothing.
        for ended in flows.extract_if(.., |ended| !self.is_told(ended)) {
            tally.flow(&ended.record, &[]);
        }
        flows.sort_by_key(|ended| ended.first_frame);
        join_residual(&mut flows);
        let links = Links { ids: self.ids(&flows), controls: controls_of(&flows, &openings) };
        let numbers = numbers_of(flows.iter().map(|ended| ended.first_frame), &openings);
        let mut records = Vec::with_capacity(flows.len());
        let mut findings = Vec::new();
        for (number, ended) in numbers.into_iter().zip(flows) {
            let Ended { mut record, first_frame, found, .. } = ended;
            record.flow = number;
            record.capture = self.path(first_frame);
            record.community_id = community_id_of(&record);
            let own: Vec<Finding> =
                found.into_iter().map(|found| self.finding(found, &record, &links)).collect();
            tally.flow(&record, &own.iter().collect::<Vec<_>>());
            findings.extend(own.into_iter().map(|finding| (finding_place(&finding), finding)));
            records.push(record);
        }
        findings.sort_by_key(|((file, frame), finding)| (file.clone(), *frame, finding.kind));
        let mut findings: Vec<Finding> = findings.into_iter().map(|(_, finding)| finding).collect();
        consequence::join(&mut records, &mut findings);
        tally.lead_astray(&consequence::false_answers(&records, &findings));
        let (hosts, services) = self.hosts(&tally, &openings, &mut limits);
        Analysis {
            captures: self.captures(),
            summary: self.summary(
                &findings,
                openings.iter().map(Openings::count).sum(),
                (limits, reach.record()),
                services,
            ),
            hosts,
            flows: records,
            findings,
            unreadable: self.unreadable(),
        }
    }

    /// Judges each flow by what the others say of it.
    fn join(&self, flows: &mut [Ended], beside: &Beside) {
        join_certificates(flows, &beside.certificates);
        join_proxied(flows, &beside.acceptances, &beside.passages);
        join_haste(flows, &beside.acceptances);
        join_refusals(flows, &beside.acceptances);
        join_haste_of_all(flows, &beside.passages);
        self.judge_dns(flows, &beside.resolvers);
        join_silence(flows, &beside.passages);
        join_rates(flows, &beside.swifts);
    }

    /// The records of hosts and services, with the flows that show them.
    fn hosts(
        &self,
        tally: &HostTally,
        openings: &[Openings],
        limits: &mut LimitCounts,
    ) -> (Vec<HostRecord>, Vec<ServiceRecord>) {
        limits.host_accesses_given_up = tally.accesses_given_up();
        limits.host_clients_given_up = u64::from(tally.clients_given_up());
        let shown = tally.flows_shown();
        let numbers = numbers_of(shown.iter().copied(), openings);
        let number_of = |begins| numbers.get(shown.binary_search(&begins).ok()?).copied();
        let records = tally.records(&Book {
            services: &self.settings.services,
            flow: &|begins| number_of(begins).unwrap_or_default(),
            path: &|frame| self.path(frame),
        });
        limits.services_given_up = records.services_given_up;
        (records.hosts, records.services)
    }

    /// Judges what the flows said in DNS, now that all resolvers' habits are known.
    fn judge_dns(&self, flows: &mut [Ended], resolvers: &Resolvers) {
        let (habits, list) = (&resolvers.habits, &self.settings.fingerprints);
        let judged = |ended: &&mut Ended| {
            resolvers.may_judge(&ended.dns, ended.record.server.ip, ended.first_frame)
        };
        let mut flows: Vec<&mut Ended> = flows.iter_mut().filter(judged).collect();
        let threads = self.settings.lanes.get();
        let mut known = Forgeries::default();
        let unknown = Forgeries::default();
        let suspects = side_by_side(&flows, threads, |ended| {
            dns::suspects(&ended.dns, &ended.record, habits, (list, &unknown))
        });
        for (ended, suspects) in flows.iter().zip(&suspects) {
            dns::learn_forged(&mut known, suspects, &ended.record);
        }
        drop(suspects);
        let found = side_by_side(&flows, threads, |ended| {
            dns::found(&ended.dns, &ended.record, habits, (list, &known))
        });
        for (ended, found) in flows.iter_mut().zip(found) {
            ended.found.extend(found);
        }
    }

    fn is_told(&self, ended: &Ended) -> bool {
        self.settings.flows || !ended.found.is_empty()
    }

    fn path(&self, frame: FrameId) -> String {
        self.files.get(usize::from(frame.file())).map(|file| file.path.clone()).unwrap_or_default()
    }

    /// The ids of the findings that set others off.
    fn ids(&self, flows: &[Ended]) -> BTreeMap<Origin, String> {
        let causes: BTreeSet<Origin> = flows
            .iter()
            .flat_map(|ended| &ended.found)
            .filter_map(|found| Some(found.residual?.0))
            .collect();
        let all =
            flows.iter().flat_map(|ended| ended.found.iter().map(move |found| (ended, found)));
        all.filter_map(|(ended, found)| {
            let origin = (ended.first_frame, found.suspicion.kind);
            let anchor = anchor_of(&found.suspicion, &ended.record);
            let id = || self.finding_id(&ended.record, found.suspicion.kind, anchor);
            causes.contains(&origin).then(|| (origin, id()))
        })
        .collect()
    }

    fn finding(&self, found: Found, flow: &FlowRecord, links: &Links) -> Finding {
        let Found { suspicion, verdict, host, residual, control, policed } = found;
        let (origin, residual) = residual.unzip();
        let (host, host_source) = host.unzip();
        let anchor = anchor_of(&suspicion, flow);
        let mut frames: Vec<(FrameId, FrameRole)> = Vec::new();
        frames.extend(suspicion.trigger.map(|frame| (frame, FrameRole::Trigger)));
        frames.extend(suspicion.forged.iter().map(|frame| (*frame, FrameRole::Forged)));
        frames.extend(suspicion.genuine.iter().map(|frame| (*frame, FrameRole::Genuine)));
        let told = verdict.evidence.iter().map(|fact| fact.frame).chain(suspicion.until);
        let more: Vec<FrameId> =
            told.filter(|frame| frames.iter().all(|(known, _)| known != frame)).collect();
        frames.extend(more.into_iter().map(|frame| (frame, FrameRole::Evidence)));
        frames.sort_unstable();
        frames.dedup();
        Finding {
            id: self.finding_id(flow, suspicion.kind, anchor),
            kind: suspicion.kind,
            confidence: verdict.confidence,
            score: verdict.score,
            host,
            host_source,
            flow: flow.flow,
            community_id: flow.community_id.clone(),
            proto: flow.proto,
            client: flow.client,
            server: flow.server,
            capture: self.path(anchor),
            time: suspicion.time,
            trigger_frame: suspicion.trigger,
            forged_frames: suspicion.forged,
            genuine_frames: suspicion.genuine,
            frames: frames
                .into_iter()
                .map(|(frame, role)| RoledFrame { role, capture: self.path(frame), frame })
                .collect(),
            evidence: verdict.evidence,
            against: verdict.against,
            alternatives: suspicion.alternatives,
            residual_of: origin.and_then(|origin| links.ids.get(&origin).cloned()),
            residual,
            led_to: Vec::new(),
            control_flow: control.and_then(|begins| links.controls.get(&begins).copied()),
            policed,
            injector: suspicion.injector,
            block_page: suspicion.block_page,
        }
    }

    /// The same capture gives the same id, wherever the file lies and whatever its name is.
    fn finding_id(&self, flow: &FlowRecord, kind: Kind, anchor: FrameId) -> String {
        let mut digest = Sha256::new();
        digest.update(self.intake.first.unwrap_or_default());
        let (client, server) = (flow.client, flow.server);
        let key = format!("{client} {server} {:?} {kind} {}", flow.proto, anchor.number());
        digest.update(key.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let start = digest.first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(start))
    }

    fn captures(&self) -> Vec<CaptureRecord> {
        let none = SkipCounts::default();
        let skipped = |place| self.intake.skipped.get(place).unwrap_or(&none);
        let record = |(place, file)| {
            let fragment_conflicts = self.fragment_conflicts(place);
            CaptureRecord { fragment_conflicts, ..record_of(file, skipped(place)) }
        };
        self.files.iter().enumerate().map(record).collect()
    }

    fn fragment_conflicts(&self, place: usize) -> Vec<FragmentConflictRecord> {
        let here = |found: &&FragmentConflict| usize::from(found.first_frame.file()) == place;
        let found = self.intake.conflicts.iter().filter(here);
        let record = |found: &FragmentConflict| FragmentConflictRecord {
            first_frame: found.first_frame,
            later_frame: found.later_frame,
            offset: found.offset,
        };
        found.map(record).collect()
    }

    fn unreadable(&self) -> Vec<(String, String)> {
        let errors = self
            .files
            .iter()
            .filter_map(|file| Some((file.path.clone(), file.error.as_ref()?.to_string())));
        errors.collect()
    }

    fn summary(
        &self,
        findings: &[Finding],
        flows: u64,
        (counts, reach): (LimitCounts, Reach),
        services: Vec<ServiceRecord>,
    ) -> Summary {
        let mut limits = BTreeMap::new();
        limits.insert("flows_evicted".to_owned(), counts.flows_evicted);
        limits.insert("flows_rewound".to_owned(), counts.flows_rewound);
        limits.insert("certificates_given_up".to_owned(), counts.certificates_given_up);
        limits.insert("ceilings_given_up".to_owned(), counts.ceilings_given_up);
        limits.insert("silences_given_up".to_owned(), counts.silences_given_up);
        limits.insert("refusals_given_up".to_owned(), counts.refused);
        limits.insert("findings_given_up".to_owned(), counts.findings_given_up);
        limits.insert("streams_given_up".to_owned(), counts.streams_given_up);
        limits
            .insert("fragments_given_up".to_owned(), self.intake.decoder.fragment_stats().evicted);
        limits.insert("host_accesses_given_up".to_owned(), counts.host_accesses_given_up);
        limits.insert("host_clients_given_up".to_owned(), counts.host_clients_given_up);
        limits.insert("controls_given_up".to_owned(), counts.controls_given_up);
        limits.insert("services_given_up".to_owned(), counts.services_given_up);
        Summary {
            packets: self.intake.packets,
            bytes: self.intake.bytes,
            flows,
            findings: tally(findings),
            reach,
            services,
            limits,
            tool: ToolRecord {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                commit: option_env!("TAMPERSCOPE_COMMIT").map(str::to_owned),
                signals_version: SIGNALS_VERSION,
                fingerprints: self.settings.fingerprints.sources(),
                services: self.settings.services.sources(),
            },
        }
    }
}

/// What other tools call the flow (Community ID, version 1, seed 0).
fn community_id_of(flow: &FlowRecord) -> String {
    let (client, server) = (flow.client, flow.server);
    let protocol = match flow.proto {
        Transport::Tcp => 6,
        Transport::Udp => 17,
    };
    let id = community_id::calculate_community_id(
        0,
        client.ip,
        server.ip,
        Some(client.port),
        Some(server.port),
        protocol,
        false,
    );
    id.unwrap_or_default()
}

/// The frame that a finding is known by.
fn anchor_of(suspicion: &Suspicion, flow: &FlowRecord) -> FrameId {
    let anchor = suspicion.forged.first().or(suspicion.trigger.as_ref());
    anchor.copied().unwrap_or(flow.first_frame)
}

/// Findings by kind and confidence.
pub(super) fn tally(findings: &[Finding]) -> BTreeMap<Kind, BTreeMap<Confidence, u64>> {
    let mut by_kind: BTreeMap<Kind, BTreeMap<Confidence, u64>> = BTreeMap::new();
    for finding in findings {
        *by_kind.entry(finding.kind).or_default().entry(finding.confidence).or_default() += 1;
    }
    by_kind
}

/// What findings say of other flows.
struct Links {
    /// The ids of the findings that set others off.
    ids: BTreeMap<Origin, String>,
    /// The numbers of the flows that are controls, by their first frames.
    controls: BTreeMap<FrameId, u64>,
}

fn controls_of(flows: &[Ended], openings: &[Openings]) -> BTreeMap<FrameId, u64> {
    let found = flows.iter().flat_map(|ended| &ended.found);
    let begins: BTreeSet<FrameId> = found.filter_map(|found| found.control).collect();
    let numbers = numbers_of(begins.iter().copied(), openings);
    begins.into_iter().zip(numbers).collect()
}

/// The number of each flow, given by first frames in ascending order, among all flows of all lanes.
fn numbers_of(flows: impl Iterator<Item = FrameId>, openings: &[Openings]) -> Vec<u64> {
    let frames: Vec<FrameId> = flows.collect();
    let mut numbers = vec![1; frames.len()];
    for lane in openings {
        lane.count_before(&frames, &mut numbers);
    }
    numbers
}

/// Where a finding stands in the recording.
fn finding_place(finding: &Finding) -> (String, FrameId) {
    let first = finding.forged_frames.first().or(finding.trigger_frame.as_ref());
    (String::new(), first.copied().unwrap_or_default())
}

fn record_of(file: &FileReport, skipped: &SkipCounts) -> CaptureRecord {
    let mut reasons: BTreeMap<String, u64> = skipped
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(skip, count)| (skip.name().to_owned(), count))
        .collect();
    if file.filtered > 0 {
        reasons.insert("filtered".to_owned(), file.filtered);
    }
    CaptureRecord {
        path: file.path.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        format: file.format.map(format_name),
        compression: file.compression.map(compression_name),
        interfaces: file.interfaces.iter().copied().map(interface_record).collect(),
        packets: file.packets,
        first: file.first,
        last: file.last,
        packets_truncated: file.packets_truncated,
        skipped: reasons,
        fragment_conflicts: Vec::new(),
        damage: file.damage.as_ref().map(|damage| DamageRecord {
            offset: damage.offset,
            reason: damage.reason.to_string(),
        }),
        capture_drops: file.capture_drops,
    }
}

fn format_name(format: Format) -> FormatName {
    match format {
        Format::Pcap => FormatName::Pcap,
        Format::PcapNg => FormatName::PcapNg,
        Format::Snoop => FormatName::Snoop,
    }
}

fn compression_name(compression: Compression) -> CompressionName {
    match compression {
        Compression::Gzip => CompressionName::Gzip,
        Compression::Zstd => CompressionName::Zstd,
    }
}

fn interface_record(interface: Interface) -> InterfaceRecord {
    InterfaceRecord {
        link_type: interface.link_type.0,
        snaplen: interface.snaplen,
        time_resolution: interface.time_resolution.to_string(),
    }
}
