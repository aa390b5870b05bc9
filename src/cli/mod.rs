//! The porch: what was typed becomes settings, runs, and ends in an exit status.
//!
//! Standard output carries results only; progress, warnings and the closing tally go to standard
//! error. A closed pipe is a success: who reads no further has read enough.

mod analyze;
mod args;
mod progress;
mod status;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{CommandFactory, Parser};

use self::args::{Arguments, Command};
pub use self::status::Status;
use crate::report::escape::escape;
use crate::report::explain;
use crate::verdict;

/// Runs the program with `arguments` (the program's own name first).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Status {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(refusal) => return refuse(&refusal),
    };
    match parsed.command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Explain { signal } => explain(signal.as_deref()),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, env!("CARGO_PKG_NAME"), &mut script);
            print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            match clap_mangen::Man::new(Arguments::command()).render(&mut page) {
                Ok(()) => print(&page),
                Err(error) => Status::failed(&format!("cannot render the manual page: {error}")),
            }
        }
    }
}

/// Help and version are results; everything else is a fault of the command line.
fn refuse(refusal: &clap::Error) -> Status {
    let told = refusal.print();
    if refusal.use_stderr() || told.is_err() { Status::Usage } else { Status::Success }
}

fn explain(signal: Option<&str>) -> Status {
    let weight = |signal| {
        let weight = verdict::weight_of(signal);
        Some((weight.full, weight.source))
    };
    match explain::explain(signal, weight) {
        Ok(text) => print(text.as_bytes()),
        Err(unknown) => {
            eprintln!("tamperscope: {}", escape(&unknown.to_string()));
            Status::Usage
        }
    }
}

fn print(text: &[u8]) -> Status {
    let mut out = io::stdout().lock();
    Status::of_output(out.write_all(text).and_then(|()| out.flush()))
}
