//! The floor on a file: `cargo bench --bench floor -- target/mix.pcap [batched]`.

#![allow(clippy::indexing_slicing, reason = "tables and fixed headers; the workloads are our own")]

#[path = "floor/mod.rs"]
mod floor;
#[path = "typed/mod.rs"]
mod typed;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use floor::LookUp;

fn main() -> ExitCode {
    let Some(typed) = typed::typed() else { return ExitCode::SUCCESS };
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    match *typed {
        // `cargo bench` without arguments runs all benches; there is no file to walk.
        [] => ExitCode::SUCCESS,
        [path] => run(path, LookUp::OneByOne),
        [path, "batched"] => run(path, LookUp::Batched),
        _ => {
            eprintln!("usage: cargo bench --bench floor -- FILE [batched]");
            ExitCode::from(2)
        }
    }
}

fn run(path: &str, look_up: LookUp) -> ExitCode {
    let start = Instant::now();
    match floor::walk(Path::new(path), look_up) {
        Ok(counts) => {
            println!("{path}: {look_up:?}, {:.3} s, {counts:?}", start.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}
