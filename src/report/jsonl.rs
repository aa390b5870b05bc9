//! `--format jsonl`: the records of the contract, one a line.
//!
//! The order is the caller's: captures, flows and findings by frame, hosts by name, the summary.
//! [`schema`](super::schema) says what each record holds.

use std::io::{self, Write};
use std::panic::resume_unwind;
use std::thread;

use serde::Serialize;

use super::json::{self, Tagged};
use crate::evidence::{CaptureRecord, Finding, FlowRecord, HostRecord, Summary};

/// Writes records as lines of JSON.
#[derive(Debug)]
pub struct JsonLines<W: Write> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Records go to `out`, one write for each piece: give it a buffered writer.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes a capture record.
    pub fn capture(&mut self, record: &CaptureRecord) -> io::Result<()> {
        self.record("capture", record)
    }

    /// Writes a flow record.
    pub fn flow(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.record("flow", record)
    }

    /// Writes a finding.
    pub fn finding(&mut self, record: &Finding) -> io::Result<()> {
        self.record("finding", record)
    }

    /// Writes a host record.
    pub fn host(&mut self, record: &HostRecord) -> io::Result<()> {
        self.record("host", record)
    }

    /// Writes flow records; where there are many, and `helped`, in two threads.
    pub fn flows(&mut self, records: &[FlowRecord], helped: bool) -> io::Result<()> {
        self.all("flow", records, helped)
    }

    /// Writes findings, likewise.
    pub fn findings(&mut self, records: &[Finding], helped: bool) -> io::Result<()> {
        self.all("finding", records, helped)
    }

    /// Writes host records, likewise.
    pub fn hosts(&mut self, records: &[HostRecord], helped: bool) -> io::Result<()> {
        self.all("host", records, helped)
    }

    /// Writes the summary.
    pub fn summary(&mut self, record: &Summary) -> io::Result<()> {
        self.record("summary", record)
    }

    /// The writer, as it is: flushing it is the caller's.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Writes `records` in their order; of many, where a second thread may help, every other share is
    /// made by it, to be held until it is its turn.
    fn all<T: Serialize + Sync>(
        &mut self,
        name: &'static str,
        records: &[T],
        helped: bool,
    ) -> io::Result<()> {
        for both in records.chunks(2 * SHARE) {
            if !helped || both.len() < SHARE {
                write_each(&mut self.out, name, both)?;
                continue;
            }
            let (own, other) = both.split_at(both.len().div_ceil(2));
            let made = thread::scope(|scope| {
                let made = scope.spawn(move || {
                    let mut made = Vec::new();
                    write_each(&mut made, name, other).map(|()| made)
                });
                write_each(&mut self.out, name, own)?;
                made.join().unwrap_or_else(|fault| resume_unwind(fault))
            })?;
            self.out.write_all(&made)?;
        }
        Ok(())
    }

    fn record<T: Serialize>(&mut self, name: &'static str, body: &T) -> io::Result<()> {
        json::write_line(&mut self.out, &Tagged::new(name, body))
    }
}

fn write_each<T: Serialize>(
    out: &mut impl Write,
    name: &'static str,
    records: &[T],
) -> io::Result<()> {
    records.iter().try_for_each(|record| json::write_line(out, &Tagged::new(name, record)))
}

/// Records that one thread makes at a time; of fewer, none is worth a thread.
const SHARE: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::escape::is_unsafe;
    use crate::report::sample;

    #[test]
    fn every_record_begins_with_its_type_and_version() {
        let text = sample::json_lines(&sample::blocked());
        for line in text.lines() {
            let start = line.split_inclusive(',').take(2).collect::<String>();
            let name = start
                .strip_prefix(r#"{"type":""#)
                .and_then(|rest| rest.strip_suffix(r#"","version":1,"#))
                .unwrap_or_else(|| panic!("{start}"));
            assert!(["capture", "flow", "finding", "host", "summary"].contains(&name));
        }
    }

    #[test]
    fn records_are_as_reviewed() {
        insta::assert_snapshot!(sample::json_lines(&sample::blocked()));
    }

    #[test]
    fn a_second_thread_changes_nothing() {
        let story = sample::blocked();
        let mut hosts = Vec::new();
        for number in 0..5 * SHARE / 2 {
            let record = &story.hosts[number % story.hosts.len()];
            hosts.push(HostRecord { accesses: number as u64, ..record.clone() });
        }
        for len in [0, 1, SHARE - 1, SHARE, 2 * SHARE + 1, hosts.len()] {
            let text = |helped| {
                let mut lines = JsonLines::new(Vec::new());
                lines.hosts(&hosts[..len], helped).expect("a vector takes all");
                lines.into_inner()
            };
            assert!(text(true) == text(false), "{len}");
            assert_eq!(text(true).split(|byte| *byte == b'\n').count(), len + 1);
        }
    }

    #[test]
    fn hostile_records_stay_one_safe_line_each() {
        let story = sample::hostile();
        let text = sample::json_lines(&story);
        let records = story.captures.len() + story.flows.len() + story.findings.len();
        assert_eq!(text.lines().count(), records + story.hosts.len() + 1);
        assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)));
        let finding = text.lines().find(|line| line.contains(r#""type":"finding""#));
        let value: serde_json::Value =
            serde_json::from_str(finding.expect("there is one")).expect("it is JSON");
        let host = story.findings[0].host.as_deref();
        assert_eq!(value["host"].as_str(), host, "a parser reads the very name");
    }

    #[test]
    fn an_error_of_the_writer_is_passed_on() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = JsonLines::new(Closed).summary(&sample::blocked().summary).expect_err("closed");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
