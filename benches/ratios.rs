//! The table of ratios to the floor, and what belongs to it: growth, lanes, attacks.
//!
//! `cargo bench --bench ratios -- --scale 0.1` makes the workloads that are missing (below
//! `target/workloads`), runs the [floor](floor) and `tamperscope analyze` on them by turns, and
//! prints medians as Markdown. CPU is user and system time together, so it is what one core has to
//! work whatever the number of lanes. `--help` lists the rest.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "no bytes of strangers are read")]

#[path = "ratios/bench.rs"]
mod bench;
#[path = "ratios/child.rs"]
mod child;
#[path = "ratios/findings.rs"]
mod findings;
#[path = "floor/mod.rs"]
mod floor;
#[path = "workload/mod.rs"]
mod workload;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bench::{Bench, Made, Subject};
use clap::{Parser, ValueEnum};
use floor::LookUp;
use workload::{Size, Workload};

/// Ratios to the floor.
#[derive(Parser)]
struct Arguments {
    /// Size of the workloads; 1 is what the reference figures are of
    #[arg(long, default_value_t = 0.1)]
    scale: f64,
    /// How often each program is run; medians are told
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The tables to print, all but the attacks by default
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["ratios", "lanes", "growth"])]
    tables: Vec<Table>,
    /// The workloads to measure
    #[arg(long, value_delimiter = ',', default_values = ["mix", "small", "bulk"])]
    workloads: Vec<String>,
    /// Size of the attacks
    #[arg(long, default_value_t = 0.1)]
    attack_scale: f64,
    /// The program to measure instead of this build's
    #[arg(long, default_value = env!("CARGO_BIN_EXE_tamperscope"))]
    program: PathBuf,
    /// More options of `analyze`, as --options=--max-memory=256M
    #[arg(long, value_delimiter = ',')]
    options: Vec<String>,
    /// Where the workloads are kept
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Write this workload to FILE, and nothing else
    #[arg(long, value_name = "WORKLOAD", requires = "file")]
    make: Option<String>,
    /// Walk FILE and do nothing else
    #[arg(long, requires = "file")]
    floor: Option<Floor>,
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Cost beside the floor
    Ratios,
    /// Two lanes beside one, and the same bytes from 1, 2 and 8
    Lanes,
    /// Cost per packet on a quarter, a half and the whole
    Growth,
    /// Memory, cost and findings under attack
    Attacks,
}

#[derive(Clone, Copy, ValueEnum)]
enum Floor {
    Plain,
    Batched,
}

fn main() -> anyhow::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        // A test runner asks what there is to test: nothing.
        return Ok(());
    }
    let typed = Arguments::parse();
    if let (Some(floor), Some(file)) = (typed.floor, &typed.file) {
        return walk(floor, file);
    }
    if let (Some(name), Some(file)) = (&typed.make, &typed.file) {
        return make(name, typed.scale, file);
    }
    let folder = typed
        .folder
        .unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("workloads"));
    let Arguments { program, options, runs, .. } = typed;
    let bench = Bench { folder, program, options, runs: runs.max(1) };
    let names: Vec<&str> = typed.workloads.iter().map(String::as_str).collect();
    for table in typed.tables {
        match table {
            Table::Ratios => ratios(&bench, &names, typed.scale)?,
            Table::Lanes => lanes(&bench, &names, typed.scale)?,
            Table::Growth => growth(&bench, &names, typed.scale)?,
            Table::Attacks => attacks(&bench, typed.scale, typed.attack_scale)?,
        }
    }
    Ok(())
}

fn walk(floor: Floor, file: &Path) -> anyhow::Result<()> {
    let look_up = match floor {
        Floor::Plain => LookUp::OneByOne,
        Floor::Batched => LookUp::Batched,
    };
    println!("{:?}", floor::walk(file, look_up)?);
    Ok(())
}

fn make(name: &str, scale: f64, path: &Path) -> anyhow::Result<()> {
    let workload = Workload::named(name).context("no such workload")?;
    let size = Size::scale(&format!("{scale:.6}")).context("no scale")?;
    let written = workload::write(workload, size, File::create(path)?)?;
    println!("{}", written.packets);
    Ok(())
}

fn ratios(bench: &Bench, workloads: &[&str], scale: f64) -> io::Result<()> {
    println!("\n## Beside the floor, scale {scale}, medians of {}\n", bench.runs);
    println!(
        "| workload | packets | MiB | floor, CPU s | batched | analyze, CPU s | × floor | × batched \
         | wall s | peak MiB | ns a packet |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    for name in workloads {
        let Made { path, packets, mib } = bench.made(name, scale)?;
        let subjects = [Subject::Floor, Subject::FloorBatched, Subject::Lanes(1)];
        let [floor, batched, ours] = bench.medians(&path, subjects)?;
        println!(
            "| {name} | {packets} | {mib:.0} | {:.3} | {:.3} | {:.3} | {:.2} | {:.2} | {:.3} \
             | {:.0} | {:.0} |",
            floor.cpu_s,
            batched.cpu_s,
            ours.cpu_s,
            ours.cpu_s / floor.cpu_s,
            ours.cpu_s / batched.cpu_s,
            ours.wall_s,
            ours.peak_mib,
            ours.cpu_s * 1e9 / packets as f64,
        );
    }
    Ok(())
}

fn lanes(bench: &Bench, workloads: &[&str], scale: f64) -> io::Result<()> {
    println!("\n## Lanes, scale {scale}, medians of {}\n", bench.runs);
    println!(
        "| workload | 1 lane, wall s | 2 lanes, wall s | ratio | CPU s, 1 | CPU s, 2 | peak MiB, 2 \
         | same bytes from 1, 2 and 8 |\n|---|--:|--:|--:|--:|--:|--:|---|"
    );
    for name in workloads {
        let Made { path, .. } = bench.made(name, scale)?;
        let [one, two] = bench.medians(&path, [Subject::Lanes(1), Subject::Lanes(2)])?;
        let results = [1, 2, 8].map(|lanes| bench.folder.join(format!("{name}-{lanes}.jsonl")));
        for (lanes, results) in [1, 2, 8].into_iter().zip(&results) {
            bench.run(&path, Subject::Lanes(lanes), Some(results))?;
        }
        let [first, second, eighth] = &results;
        let same = findings::are_same(first, second)? && findings::are_same(first, eighth)?;
        println!(
            "| {name} | {:.3} | {:.3} | {:.2} | {:.3} | {:.3} | {:.0} | {} |",
            one.wall_s,
            two.wall_s,
            two.wall_s / one.wall_s,
            one.cpu_s,
            two.cpu_s,
            two.peak_mib,
            if same { "yes" } else { "NO" },
        );
    }
    Ok(())
}

fn growth(bench: &Bench, workloads: &[&str], scale: f64) -> io::Result<()> {
    println!("\n## Growth, up to scale {scale}, one lane, medians of {}\n", bench.runs);
    println!(
        "| workload | ns a packet on 1/4 | 1/2 | whole | dearest ÷ cheapest | peak MiB on 1/4 \
         | 1/2 | whole |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    for name in workloads {
        let mut costs = [0.0; 3];
        let mut peaks = [0.0; 3];
        for ((cost, peak), part) in costs.iter_mut().zip(&mut peaks).zip([0.25, 0.5, 1.0]) {
            let Made { path, packets, .. } = bench.made(name, scale * part)?;
            let [used] = bench.medians(&path, [Subject::Lanes(1)])?;
            *cost = used.cpu_s * 1e9 / packets as f64;
            *peak = used.peak_mib;
        }
        let [least, most] = [
            costs.iter().copied().fold(f64::MAX, f64::min),
            costs.iter().copied().fold(0.0, f64::max),
        ];
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {:.0} |",
            costs[0],
            costs[1],
            costs[2],
            most / least,
            peaks[0],
            peaks[1],
            peaks[2]
        );
    }
    Ok(())
}

fn attacks(bench: &Bench, scale: f64, attack_scale: f64) -> io::Result<()> {
    println!("\n## Attacks, scale {attack_scale}, one lane, medians of {}\n", bench.runs);
    let mut ordinary = [0.0; 2];
    for (cost, name) in ordinary.iter_mut().zip(["mix", "small"]) {
        let Made { path, packets, .. } = bench.made(name, scale)?;
        let [used] = bench.medians(&path, [Subject::Lanes(1)])?;
        *cost = used.cpu_s / packets as f64;
    }
    println!(
        "An ordinary packet costs {:.0} ns in mix and {:.0} ns in small (scale {scale}).\n\n\
         | attack | packets | CPU s | ns a packet | × as many of mix | × as many of small | wall s \
         | peak MiB | findings beside it | given up |\n|---|--:|--:|--:|--:|--:|--:|--:|---|---|",
        ordinary[0] * 1e9,
        ordinary[1] * 1e9,
    );
    let results = bench.folder.join("attack.jsonl");
    let mut calm = None;
    for name in ["calm", "synflood", "halfopen", "holes", "fragments", "queries", "names"] {
        let Made { path, packets, .. } = bench.made(name, attack_scale)?;
        let [used] = bench.medians(&path, [Subject::Lanes(1)])?;
        bench.run(&path, Subject::Lanes(1), Some(&results))?;
        let told = findings::told(&results)?;
        let calm = calm.get_or_insert_with(|| told.findings.clone());
        let verdict = if *calm == told.findings { "unchanged" } else { "CHANGED" };
        let count = packets as f64;
        println!(
            "| {name} | {packets} | {:.3} | {:.0} | {:.2} | {:.2} | {:.3} | {:.0} | {}, {verdict} | {} |",
            used.cpu_s,
            used.cpu_s * 1e9 / count,
            used.cpu_s / (count * ordinary[0]),
            used.cpu_s / (count * ordinary[1]),
            used.wall_s,
            used.peak_mib,
            told.findings.len(),
            told.limits.join(", "),
        );
    }
    Ok(())
}
