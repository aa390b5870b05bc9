//! What is measured: files made when they are missing, and the two programs on them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::{self, Used};
use super::workload::EDITION;

/// Where things are, and how often each is run.
pub(crate) struct Bench {
    pub(crate) folder: PathBuf,
    /// `tamperscope`.
    pub(crate) program: PathBuf,
    /// More options of `analyze`.
    pub(crate) options: Vec<String>,
    pub(crate) runs: usize,
}

/// A capture file.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    pub(crate) packets: u64,
    pub(crate) mib: f64,
}

/// A program and what it is told.
#[derive(Clone, Copy)]
pub(crate) enum Subject {
    Floor,
    FloorBatched,
    /// `analyze` with so many lanes.
    Lanes(u32),
}

impl Bench {
    /// The file of a workload, made if it is not there.
    pub(crate) fn made(&self, workload: &str, scale: f64) -> io::Result<Made> {
        let path = self.folder.join(format!("{workload}-{scale}-{EDITION}.pcap"));
        let note = path.with_extension("packets");
        if !note.exists() {
            fs::create_dir_all(&self.folder)?;
            eprintln!("making {}", path.display());
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--bench", "--make", workload, "--scale", &format!("{scale:.6}")]);
            let partial = path.with_extension("partial");
            child::run(command.arg(&partial), Some(&note.with_extension("note")))?;
            fs::rename(&partial, &path)?;
            fs::rename(note.with_extension("note"), &note)?;
        }
        let packets = fs::read_to_string(&note)?.trim().parse().map_err(io::Error::other)?;
        let mib = fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
        Ok(Made { path, packets, mib })
    }

    /// Medians of the subjects, which take turns. Once more before, so that the file is warm.
    pub(crate) fn medians<const N: usize>(
        &self,
        file: &Path,
        subjects: [Subject; N],
    ) -> io::Result<[Used; N]> {
        self.run(file, Subject::Floor, None)?;
        let mut runs = [const { Vec::new() }; N];
        for _ in 0..self.runs {
            for (subject, runs) in subjects.iter().zip(&mut runs) {
                runs.push(self.run(file, *subject, None)?);
            }
        }
        Ok(runs.map(|runs| child::median(&runs)))
    }

    pub(crate) fn run(
        &self,
        file: &Path,
        subject: Subject,
        results: Option<&Path>,
    ) -> io::Result<Used> {
        let mut command = match subject {
            Subject::Floor | Subject::FloorBatched => Command::new(std::env::current_exe()?),
            Subject::Lanes(_) => Command::new(&self.program),
        };
        match subject {
            Subject::Floor => command.args(["--bench", "--floor", "plain"]),
            Subject::FloorBatched => command.args(["--bench", "--floor", "batched"]),
            Subject::Lanes(lanes) => command
                .args(["analyze", "--format", "jsonl", "--no-progress", "--lanes"])
                .arg(lanes.to_string())
                .args(&self.options),
        };
        child::run(command.arg(file), results)
    }
}
