//! Progress on standard error: bytes, rate, time left and what was found so far.

use std::io::IsTerminal;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::capture::Progress;
use crate::pipeline::{Directory, Watcher};

/// A bar on a terminal; nothing elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
    progress: Option<Arc<Progress>>,
}

impl Bar {
    /// A bar if one is `wanted` and standard error is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        let bar = if shown {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8))
        } else {
            ProgressBar::hidden()
        };
        Self { bar, progress: None }
    }

    /// Takes the bar away, before anything else is written.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watcher for Bar {
    fn begins(&mut self, progress: Arc<Progress>) -> bool {
        let template = if let Some(total) = progress.bytes_total() {
            self.bar.set_length(total);
            "{bar:30} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left; {msg}"
        } else {
            "{spinner} {bytes}, {binary_bytes_per_sec}; {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.progress = Some(progress);
        !self.bar.is_hidden()
    }

    fn block(&mut self, directory: &Directory) {
        if self.bar.is_hidden() {
            return;
        }
        if let Some(progress) = &self.progress {
            self.bar.set_position(progress.bytes_read());
        }
        let (flows, interfered, hosts) = directory.totals();
        self.bar.set_message(format!("{flows} flows, {hosts} hosts, {interfered} with findings"));
    }
}
