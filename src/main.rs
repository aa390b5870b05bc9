//! Parses the command line, runs it, and exits with the status of the contract.

use std::process::ExitCode;

fn main() -> ExitCode {
    tamperscope::cli::run(std::env::args_os()).into()
}
