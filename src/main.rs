//! Parses the command line, runs it, and exits with the status of the contract.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Flows are many small values that come and go by the hundred thousand, in several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tamperscope::cli::run(std::env::args_os()).into()
}
