//! Paths to captures.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::build::pcap;
use super::*;
use crate::capture::{CaptureError, Ignored, Unreadable, WhyIgnored, expand};

fn names(inputs: &[Input], top: &Path) -> Vec<String> {
    let prefix = format!("{}/", top.display());
    inputs.iter().map(|input| input.to_string().replace(&prefix, "")).collect()
}

#[test]
fn a_directory_gives_its_captures_in_order_and_names_the_rest() {
    let top = tempfile::tempdir().unwrap();
    let path = |name: &str| top.path().join(name);
    fs::create_dir_all(path("b/deep")).unwrap();
    fs::write(path("z.txt"), pcap(1, &[60])).unwrap();
    fs::write(path("b/deep/x.pcap"), pcap(2, &[60])).unwrap();
    fs::write(path("a.log"), zstd::encode_all(&pcap(3, &[60])[..], 1).unwrap()).unwrap();
    fs::write(path("b/notes.pcap"), "not a capture").unwrap();
    fs::write(path("b/empty.pcap"), "").unwrap();
    fs::write(path("b/log.gz"), zstd::encode_all(&b"a log"[..], 1).unwrap()).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", path("broken")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(".", path("b/circle")).unwrap();

    let expanded = expand(&[top.path()]).unwrap();
    assert_eq!(names(&expanded.inputs, top.path()), ["a.log", "b/deep/x.pcap", "z.txt"]);
    let ignored = |why| expanded.ignored.iter().filter(|found| found.why == why).count();
    assert_eq!(ignored(WhyIgnored::NotACapture), 3);
    #[cfg(unix)]
    assert_eq!(ignored(WhyIgnored::NotAFile), 2);

    let recording = Recording::open(&expanded.inputs, &OpenOptions::default()).unwrap();
    let (frames, reports) = drain(recording);
    assert_eq!((frames.len(), reports.len()), (3, 3));
    assert!(reports[0].path.ends_with("z.txt") && reports[2].path.ends_with("a.log"));
    assert_eq!(reports[2].bytes, fs::metadata(path("a.log")).unwrap().len());
}

#[test]
fn a_file_named_outright_stays_and_is_read_once() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"no capture").unwrap();
    let path = file.path();
    let expanded = expand(&[path, Path::new("-"), path]).unwrap();
    assert_eq!(expanded.inputs, [Input::File(path.into()), Input::Stdin]);
    let left_out = Ignored { path: path.into(), why: WhyIgnored::NamedBefore };
    assert_eq!(expanded.ignored, [left_out]);
    let recording = Recording::open(&expanded.inputs[..1], &OpenOptions::default()).unwrap();
    assert_eq!(drain(recording).1[0].error, Some(Unreadable::UnknownFormat));
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_with_its_name() {
    let error = expand(&["/nowhere/at/all.pcap"]).unwrap_err();
    assert!(matches!(error, CaptureError::Io { .. }));
    assert!(error.to_string().starts_with("/nowhere/at/all.pcap: "), "{error}");
}

#[test]
fn a_device_is_read_as_a_stream() {
    if !Path::new("/dev/null").exists() {
        eprintln!("skipped: no /dev/null here");
        return;
    }
    let expanded = expand(&["/dev/null"]).unwrap();
    let recording = Recording::open(&expanded.inputs, &OpenOptions::default()).unwrap();
    assert_eq!(recording.progress().bytes_total(), None);
    assert_eq!(drain(recording).1[0].error, Some(Unreadable::Empty));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_takes_its_place_among_files_and_is_read_whole() {
    let top = tempfile::tempdir().unwrap();
    let (pipe, file) = (top.path().join("pipe"), top.path().join("file"));
    if !std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|made| made.success()) {
        eprintln!("skipped: no mkfifo here");
        return;
    }
    fs::write(&file, pcap(20, &[60])).unwrap();
    let packed = zstd::encode_all(&pcap(10, &[1_000; 500])[..], 1).unwrap();
    let (target, bytes) = (pipe.clone(), packed.clone());
    let feeder = std::thread::spawn(move || fs::write(target, bytes));
    let expanded = expand(&[&file, &pipe]).unwrap();
    let options = OpenOptions { hash: true, ..in_blocks_of(4_096) };
    let (frames, reports) = drain(Recording::open(&expanded.inputs, &options).unwrap());
    feeder.join().unwrap().unwrap();
    assert_eq!((frames.len(), frames[500].id), (501, FrameId::new(1, 1)));
    assert!(reports[0].path.ends_with("pipe"));
    assert_eq!((reports[0].packets, reports[0].bytes), (500, packed.len() as u64));
    assert!(reports.iter().all(|report| report.sha256.is_some() && report.damage.is_none()));
}
