//! One analysis with the settings of the tests.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tamperscope::capture::Input;
use tamperscope::detect::fingerprint::FingerprintSet;
use tamperscope::pipeline::{self, Analysis, Limits, Settings};

/// The settings of a plain run: one lane, all flows told.
pub(crate) fn settings() -> Settings {
    Settings {
        filter: None,
        hash: false,
        flows: true,
        lanes: NonZeroUsize::MIN,
        fingerprints: Arc::new(FingerprintSet::builtin()),
        services: Arc::default(),
        limits: Limits::default(),
    }
}

/// Analyses `inputs` as one recording.
pub(crate) fn analyze(inputs: &[Input], settings: &Settings) -> Analysis {
    pipeline::analyze(inputs, settings, &mut ()).expect("inputs that can be opened")
}
