//! Writes a workload: `cargo bench --bench workload -- mix 0.1 target/mix.pcap`.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

#[path = "typed/mod.rs"]
mod typed;
#[path = "workload/mod.rs"]
mod workload;

use std::fs::File;
use std::process::ExitCode;

use workload::{EDITION, Size, Workload};

fn main() -> ExitCode {
    let Some(typed) = typed::typed() else { return ExitCode::SUCCESS };
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    match *typed {
        // `cargo bench` without arguments runs all benches; this one measures nothing.
        [] => ExitCode::SUCCESS,
        [name, scale, path] => make(name, scale, path),
        _ => usage(),
    }
}

fn make(name: &str, scale: &str, path: &str) -> ExitCode {
    let (Some(workload), Some(size)) = (Workload::named(name), Size::scale(scale)) else {
        return usage();
    };
    let written = File::create(path).and_then(|file| workload::write(workload, size, file));
    match written {
        Ok(written) => {
            println!("{path}: edition {EDITION}, {written:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    let names = Workload::ALL.map(|(name, _)| name).join("|");
    eprintln!("usage: cargo bench --bench workload -- {names} SCALE FILE");
    ExitCode::from(2)
}
