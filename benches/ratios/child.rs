//! Programs run and measured one by one.

#![allow(unsafe_code, reason = "what a child used, the kernel tells by a system call only")]

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a run used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// User and system, in seconds.
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    /// Resident at most, in MiB.
    pub(crate) peak_mib: f64,
}

/// Runs `command` to its end, its results into `results` or nowhere.
///
/// The child begins with this process's own peak of memory, so this process stays small and lets
/// others make the workloads.
pub(crate) fn run(command: &mut Command, results: Option<&Path>) -> io::Result<Used> {
    let results = results.map_or(Ok(Stdio::null()), |path| File::create(path).map(Stdio::from))?;
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(results).stderr(Stdio::null()).spawn()?;
    let (status, usage) = wait(child.id())?;
    let wall_s = start.elapsed().as_secs_f64();
    if status != 0 {
        return Err(io::Error::other(format!("{command:?} ended with status {status:#x}")));
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Used {
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        wall_s,
        peak_mib: usage.ru_maxrss as f64 / 1024.0,
    })
}

/// Waits for the process `id`: its status and what it used.
fn wait(id: u32) -> io::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: `rusage` is numbers only, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of the types that wait4(2) writes.
    let ended = unsafe { libc::wait4(id as i32, &raw mut status, 0, &raw mut usage) };
    if ended < 0 { Err(io::Error::last_os_error()) } else { Ok((status, usage)) }
}

/// Medians, each of its own numbers.
pub(crate) fn median(runs: &[Used]) -> Used {
    let middle = |number: fn(&Used) -> f64| {
        let mut numbers: Vec<f64> = runs.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Used {
        cpu_s: middle(|used| used.cpu_s),
        wall_s: middle(|used| used.wall_s),
        peak_mib: middle(|used| used.peak_mib),
    }
}
