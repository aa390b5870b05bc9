//! Exit statuses, as the contract fixes them.

use std::io;
use std::process::ExitCode;

use crate::report::escape::escape;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// All input was read, whatever was found.
    Success,
    /// An input is damaged or cut short; all that could be read was analysed and printed.
    Damaged,
    /// `--fail-on` was given, and a finding reaches it.
    Found,
    /// Nothing could be read, or the output could not be written.
    Failed,
    /// The command line is wrong.
    Usage,
}

impl Status {
    /// Says on standard error what failed and where, in one line.
    pub(super) fn failed(what: &str) -> Self {
        eprintln!("tamperscope: {}", escape(what));
        Self::Failed
    }

    /// The status after writing results.
    pub(super) fn of_output(written: io::Result<()>) -> Self {
        match written {
            Ok(()) => Self::Success,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Self::Success,
            Err(error) => Self::failed(&format!("cannot write standard output: {error}")),
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Success => 0,
            Status::Failed => 1,
            Status::Usage => 2,
            Status::Damaged => 3,
            Status::Found => 4,
        })
    }
}
