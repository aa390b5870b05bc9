//! The frames of a finding, in words and as Wireshark display filters.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{list, thousands};
use crate::evidence::{CaptureRecord, Finding, Kind, Signal, Weighed};
use crate::wire::{FrameId, Transport};

/// Runs of frame numbers that a filter lists; a finding with more is filtered by its flow.
const RUNS_IN_FILTER: usize = 24;

/// Frames that a sentence names one by one.
const FRAMES_IN_SENTENCE: usize = 6;

/// Files that a sentence names one by one.
const FILES_IN_SENTENCE: usize = 3;

/// The frames of a finding by capture file, in order of the recording.
pub(super) struct Frames<'a> {
    finding: &'a Finding,
    files: BTreeMap<u16, File<'a>>,
}

struct File<'a> {
    path: &'a str,
    numbers: Vec<u64>,
}

impl<'a> Frames<'a> {
    /// All frames that `finding` names.
    pub(super) fn of(finding: &'a Finding, captures: &'a [CaptureRecord]) -> Self {
        let mut files: BTreeMap<u16, File<'a>> = BTreeMap::new();
        let mut add = |frame: FrameId, path: &'a str| {
            files
                .entry(frame.file())
                .or_insert_with(|| File { path, numbers: Vec::new() })
                .numbers
                .push(frame.number());
        };
        for roled in &finding.frames {
            add(roled.frame, &roled.capture);
        }
        let named = finding
            .trigger_frame
            .iter()
            .chain(&finding.forged_frames)
            .chain(&finding.genuine_frames);
        for frame in named {
            let capture = captures.get(usize::from(frame.file()));
            add(*frame, capture.map_or(&finding.capture, |capture| &capture.path));
        }
        for file in files.values_mut() {
            file.numbers.sort_unstable();
            file.numbers.dedup();
        }
        Self { finding, files }
    }

    /// `frame 43`, `frames 43 and 44`; with the file where the finding's frames are in several.
    pub(super) fn name(&self, frames: &[FrameId]) -> String {
        let mut parts: Vec<_> = frames
            .chunk_by(|a, b| a.file() == b.file())
            .take(FILES_IN_SENTENCE)
            .map(|frames| self.name_in_file(frames))
            .collect();
        let files = frames.chunk_by(|a, b| a.file() == b.file()).count();
        if files > FILES_IN_SENTENCE {
            parts.push("others in further files".to_owned());
        }
        list(&parts)
    }

    /// For each file its path and the filter that shows the finding's frames in it.
    pub(super) fn filters(&self) -> Vec<(&'a str, String)> {
        self.files.iter().map(|(id, file)| (file.path, self.filter(*id, &file.numbers))).collect()
    }

    fn name_in_file(&self, frames: &[FrameId]) -> String {
        let shown = frames.iter().take(FRAMES_IN_SENTENCE);
        let mut names: Vec<_> = shown.map(|frame| frame.number().to_string()).collect();
        if frames.len() > FRAMES_IN_SENTENCE {
            names.push(format!("{} more", thousands((frames.len() - names.len()) as u64)));
        }
        let noun = if frames.len() == 1 { "frame" } else { "frames" };
        let file = frames.first().and_then(|frame| self.files.get(&frame.file()));
        let of = match file {
            Some(file) if self.files.len() > 1 => format!(" of {}", file.path),
            _ => String::new(),
        };
        format!("{noun} {}{of}", list(&names))
    }

    /// Wireshark's set syntax: commas between members, `..` within a range.
    fn filter(&self, file: u16, numbers: &[u64]) -> String {
        if matches!(self.finding.kind, Kind::Drop | Kind::Throttle) {
            return self.silence_filter(file, numbers);
        }
        let runs = runs(numbers);
        if let [(one, last)] = runs.as_slice()
            && one == last
        {
            return format!("frame.number == {one}");
        }
        if runs.len() > RUNS_IN_FILTER {
            return self.flow_filter(numbers);
        }
        let members: Vec<_> = runs
            .iter()
            .map(|(first, last)| match last - first {
                0 => first.to_string(),
                1 => format!("{first}, {last}"),
                _ => format!("{first}..{last}"),
            })
            .collect();
        format!("frame.number in {{{}}}", members.join(", "))
    }

    /// Where nothing was forged, what is missing is the evidence: the whole flow meanwhile, and the
    /// frames of other flows that are named.
    fn silence_filter(&self, file: u16, numbers: &[u64]) -> String {
        let others: BTreeSet<u64> = self.others(file).collect();
        let own: Vec<u64> = numbers.iter().copied().filter(|n| !others.contains(n)).collect();
        let listed = || others.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        match (own.is_empty(), others.is_empty()) {
            (true, _) => format!("frame.number in {{{}}}", listed()),
            (false, true) => self.flow_filter(&own),
            (false, false) => {
                format!("({}) || frame.number in {{{}}}", self.flow_filter(&own), listed())
            }
        }
    }

    /// Frames of `file` at which facts point that are about other flows.
    fn others(&self, file: u16) -> impl Iterator<Item = u64> {
        let trigger = self.finding.trigger_frame;
        let about_others = move |fact: &&Weighed| {
            fact.signal != Signal::RatePoliced && Some(fact.frame) != trigger
        };
        let frames = self.finding.evidence.iter().filter(about_others).map(|fact| fact.frame);
        frames.filter(move |frame| frame.file() == file).map(FrameId::number)
    }

    /// The whole flow from its first to its last frame of interest.
    fn flow_filter(&self, numbers: &[u64]) -> String {
        let (client, server) = (self.finding.client, self.finding.server);
        let ip = if client.ip.is_ipv4() { "ip" } else { "ipv6" };
        let transport = match self.finding.proto {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let first = numbers.first().copied().unwrap_or_default();
        let range = match numbers.last() {
            Some(last) if *last > first => format!("in {{{first}..{last}}}"),
            _ => format!(">= {first}"),
        };
        format!(
            "frame.number {range} && {ip}.addr == {} && {ip}.addr == {} && \
             {transport}.port == {} && {transport}.port == {}",
            client.ip, server.ip, client.port, server.port
        )
    }
}

/// Runs of consecutive numbers in a sorted list without repetitions.
fn runs(numbers: &[u64]) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FrameRole, RoledFrame};
    use crate::report::sample;

    fn ids(file: u16, numbers: &[u64]) -> Vec<FrameId> {
        numbers.iter().map(|number| FrameId::new(file, *number)).collect()
    }

    fn finding(forged: Vec<FrameId>) -> Finding {
        Finding {
            trigger_frame: None,
            forged_frames: forged,
            genuine_frames: Vec::new(),
            frames: Vec::new(),
            ..sample::blocked().findings[0].clone()
        }
    }

    fn filter(numbers: &[u64]) -> String {
        let finding = finding(ids(0, numbers));
        let filters = Frames::of(&finding, &[]).filters();
        assert_eq!(filters.len(), 1);
        filters[0].1.clone()
    }

    #[test]
    fn filters_are_in_wiresharks_words() {
        assert_eq!(filter(&[43]), "frame.number == 43");
        assert_eq!(filter(&[51, 43, 44, 43]), "frame.number in {43, 44, 51}");
        assert_eq!(filter(&[1, 2, 3, 4, 9]), "frame.number in {1..4, 9}");
        assert_eq!(filter(&[1, 2, 3]), "frame.number in {1..3}");
    }

    #[test]
    fn many_frames_are_filtered_by_their_flow() {
        let odd: Vec<u64> = (0..=RUNS_IN_FILTER as u64).map(|n| 2 * n + 1).collect();
        assert_eq!(
            filter(&odd),
            "frame.number in {1..49} && ip.addr == 10.63.0.5 && ip.addr == 203.0.113.34 && \
             tcp.port == 49152 && tcp.port == 80"
        );
    }

    #[test]
    fn of_silence_the_flow_is_shown_and_what_it_is_held_against() {
        fn filters(finding: &Finding) -> String {
            Frames::of(finding, &[]).filters()[0].1.clone()
        }
        let mut finding = finding(Vec::new());
        finding.kind = Kind::Drop;
        finding.trigger_frame = Some(FrameId::new(0, 11));
        finding.evidence.truncate(1);
        finding.evidence[0].signal = Signal::ControlPassed;
        finding.evidence[0].frame = FrameId::new(0, 19);
        let shown = |frame| {
            let (role, capture) = (FrameRole::Evidence, "a.pcap".to_owned());
            RoledFrame { role, capture, frame: FrameId::new(0, frame) }
        };
        finding.frames = vec![shown(19), shown(42)];
        let flow = "ip.addr == 10.63.0.5 && ip.addr == 203.0.113.34 && tcp.port == 49152 && \
                    tcp.port == 80";
        let whole = format!("(frame.number in {{11..42}} && {flow}) || frame.number in {{19}}");
        assert_eq!(filters(&finding), whole);
        finding.evidence.clear();
        finding.frames.clear();
        assert_eq!(filters(&finding), format!("frame.number >= 11 && {flow}"));
    }

    #[test]
    fn frames_of_several_files_carry_their_file() {
        let mut finding = finding(ids(1, &[7]));
        finding.frames = vec![RoledFrame {
            role: FrameRole::Genuine,
            capture: "a.pcap".to_owned(),
            frame: FrameId::new(0, 900),
        }];
        let story = sample::several_files();
        let frames = Frames::of(&finding, &story.captures);
        let second = story.captures[1].path.as_str();
        let filters = frames.filters();
        assert_eq!(filters[0], ("a.pcap", "frame.number == 900".to_owned()));
        assert_eq!(filters[1], (second, "frame.number == 7".to_owned()));
        assert_eq!(frames.name(&ids(1, &[7])), format!("frame 7 of {second}"));
        let both = [ids(0, &[900]), ids(1, &[7, 8])].concat();
        let named = format!("frame 900 of a.pcap and frames 7 and 8 of {second}");
        assert_eq!(frames.name(&both), named);
    }

    #[test]
    fn long_lists_of_frames_are_counted() {
        let finding = finding(ids(0, &[1]));
        let frames = Frames::of(&finding, &[]);
        assert_eq!(frames.name(&ids(0, &[43, 44])), "frames 43 and 44");
        let many: Vec<u64> = (1..=9).collect();
        assert_eq!(frames.name(&ids(0, &many)), "frames 1, 2, 3, 4, 5, 6 and 3 more");
    }
}
