//! The lane: decoded packets to what came of their flows; and the whole way from a file to records.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tamperscope::capture::Input;
use tamperscope::decode::Packet;
use tamperscope::detect::fingerprint::FingerprintSet;
use tamperscope::pipeline::{self, Analysis, Directory, Lane, Limits, Outcome, Settings, Tick};
use tamperscope::wire::{Frame, Timestamp};

use super::decode::packet;
use super::input;

/// A packet, and the time that it is.
type Timed = (Packet<'static>, Tick);

/// What a lane is given, decoded.
pub(crate) struct Given {
    settings: Settings,
    packets: Vec<Timed>,
}

impl Given {
    /// The beginning of `mix`.
    pub(crate) fn mix() -> Self {
        let frames = input::frames(input::mix(PACKETS));
        let packets: Vec<_> = frames.iter().filter_map(packet).zip(ticks(&frames)).collect();
        assert_eq!(packets.len(), PACKETS, "all are packets");
        Self { settings: settings(), packets }
    }

    /// All packets, and the end of all flows.
    pub(crate) fn run(&self) -> Outcome {
        let directory = Directory::default();
        let mut lane = Lane::new(&self.settings, &directory);
        let mut now = Tick::default();
        for (packet, clock) in &self.packets {
            lane.packet(packet, packet.flow(), *clock);
            now = *clock;
        }
        let outcome = lane.finish(now);
        assert!(!outcome.flows.is_empty(), "some are interfered with");
        outcome
    }
}

/// Packet time, which never runs backwards.
fn ticks(frames: &[Frame<'static>]) -> impl Iterator<Item = Tick> {
    frames.iter().scan(Timestamp::ZERO, |now, frame| {
        *now = frame.time.max(*now);
        Some(Tick { now: *now, leapt: None })
    })
}

/// What a whole analysis is given: the file of the same packets.
pub(crate) struct Whole {
    settings: Settings,
    input: Input,
}

impl Whole {
    pub(crate) fn mix() -> Self {
        Self { settings: settings(), input: input::mix(PACKETS) }
    }

    /// From the file to the records.
    pub(crate) fn run(&self) -> Analysis {
        let inputs = std::slice::from_ref(&self.input);
        let analysis = pipeline::analyze(inputs, &self.settings, &mut ()).expect("it opens");
        assert_eq!(analysis.summary.packets, PACKETS as u64, "all are read");
        assert!(!analysis.findings.is_empty(), "some are interfered with");
        analysis
    }
}

/// Those of the program with `--lanes 1`.
fn settings() -> Settings {
    Settings {
        filter: None,
        hash: false,
        flows: false,
        lanes: NonZeroUsize::MIN,
        fingerprints: Arc::new(FingerprintSet::builtin()),
        services: Arc::default(),
        limits: Limits::default(),
    }
}

pub(crate) const PACKETS: usize = 20_000;
