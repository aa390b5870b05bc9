//! The command line as a user meets it: results, exit statuses, damaged and hostile input.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;

fn tamperscope() -> Command {
    Command::cargo_bin("tamperscope").unwrap()
}

fn story(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
    let mut captures: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(".pcap"))
        .collect();
    captures.sort();
    captures.into_iter().next().unwrap()
}

fn koryolink() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/koryolink/3g-client.pcap")
}

fn records(arguments: &[&str], captures: &[PathBuf]) -> Vec<Value> {
    let output = tamperscope()
        .args(["analyze", "--format", "jsonl"])
        .args(arguments)
        .args(captures)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_type<'a>(records: &'a [Value], name: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["type"] == name).collect()
}

#[test]
fn the_main_job_names_the_host_the_frames_and_the_filter() {
    tamperscope().arg("analyze").arg(koryolink()).assert().code(0).stdout(
        predicate::str::contains("instagram.com — partly blocked")
            .and(predicate::str::contains("Wireshark: frame.number in {"))
            .and(predicate::str::contains("koryolink_2015_english")),
    );
}

#[test]
fn what_the_tap_could_not_see_is_told_with_its_signals() {
    let reach = |capture: PathBuf| {
        let records = records(&[], &[capture]);
        of_type(&records, "summary")[0]["reach"].clone()
    };
    let one_way = reach(story("one-sided"));
    assert_eq!(
        one_way["to_server_only"].as_u64().unwrap() + one_way["to_client_only"].as_u64().unwrap(),
        one_way["connections"].as_u64().unwrap()
    );
    let hidden = one_way["out_of_reach"].as_array().unwrap();
    assert!(hidden.iter().any(|signal| signal == "hello_unanswered"), "{hidden:?}");
    let beside = reach(story("reset-both-ends-near-server"));
    let hidden = beside["out_of_reach"].as_array().unwrap();
    assert!(hidden.iter().any(|signal| signal == "rst_fast"), "{hidden:?}");
    assert!(hidden.iter().all(|signal| signal != "hello_unanswered"), "{hidden:?}");
    assert_eq!(reach(koryolink())["out_of_reach"], Value::Array(Vec::new()));
    for (capture, told) in [(story("one-sided"), true), (koryolink(), false)] {
        let output = tamperscope().arg("analyze").arg(capture).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.contains("Out of reach: of "), told, "{text}");
    }
}

#[test]
fn every_record_of_every_story_is_valid_by_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../src/report/records.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let records = records(&["--flows", "--hash"], &[root]);
    assert!(of_type(&records, "finding").len() > 30);
    for record in &records {
        let faults: Vec<_> = validator.iter_errors(record).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?} in {record}");
    }
}

#[test]
fn records_come_in_the_order_of_the_contract() {
    let records = records(&["--flows"], &[story("many-hosts")]);
    let rank = |record: &Value| {
        let order = ["capture", "flow", "finding", "host", "summary"];
        order.iter().position(|name| record["type"] == *name).unwrap()
    };
    assert!(records.windows(2).all(|pair| rank(&pair[0]) <= rank(&pair[1])));
    assert_eq!(of_type(&records, "summary").len(), 1);
    let flows = of_type(&records, "flow");
    assert!(flows.iter().enumerate().all(|(place, flow)| flow["flow"] == place as u64 + 1));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let run = || {
        let mut command = tamperscope();
        command.args(["analyze", "--format", "jsonl", "--flows"]).arg(story("split-files"));
        command.output().unwrap().stdout
    };
    assert_eq!(run(), run());
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_lanes() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![manifest.join("captures")];
    let public = manifest.join("../shared/captures");
    if public.is_dir() {
        folders.push(public);
    } else {
        eprintln!("skipped for the public captures: {} is absent", public.display());
    }
    for folder in folders {
        let run = |lanes: &str| {
            let mut command = tamperscope();
            command.args(["analyze", "--format", "jsonl", "--flows", "--lanes", lanes]);
            command.arg(&folder).output().unwrap().stdout
        };
        let one = run("1");
        assert!(one.len() > 100_000);
        for lanes in ["2", "8"] {
            assert!(run(lanes) == one, "{} with {lanes} lanes", folder.display());
        }
    }
}

#[test]
fn standard_input_is_read_and_may_be_compressed() {
    let bytes = fs::read(koryolink()).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes).unwrap();
    for input in [bytes, packed.finish().unwrap()] {
        tamperscope()
            .args(["analyze", "-"])
            .write_stdin(input)
            .assert()
            .code(0)
            .stdout(predicate::str::contains("upload.instagram.com"));
    }
}

#[test]
fn a_cut_file_is_analysed_as_far_as_it_goes_and_the_fault_is_placed() {
    let bytes = fs::read(koryolink()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.pcap");
    fs::write(&cut, &bytes[..bytes.len() - 7]).unwrap();
    let records = records(&[], std::slice::from_ref(&cut));
    let capture = of_type(&records, "capture")[0];
    let offset = capture["damage"]["offset"].as_u64().unwrap();
    assert!(offset > 24 && offset < bytes.len() as u64);
    assert!(!of_type(&records, "finding").is_empty());
    tamperscope().arg("analyze").arg(&cut).assert().code(3).stderr(
        predicate::str::contains(format!("damaged at byte {offset}"))
            .and(predicate::str::contains("cut.pcap")),
    );
}

#[test]
fn statuses_are_those_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pcap");
    fs::write(&empty, b"").unwrap();
    let code = |arguments: &[&str], capture: &Path, expected: i32| {
        tamperscope().arg("analyze").args(arguments).arg(capture).assert().code(expected);
    };
    code(&[], &story("own-403"), 0);
    code(&[], &empty, 1);
    code(&[], &folder.path().join("absent.pcap"), 1);
    code(&["--format", "yaml"], &koryolink(), 2);
    code(&["--filter", "no such filter"], &koryolink(), 1);
    code(&["--fail-on", "likely"], &koryolink(), 4);
    code(&["--fail-on", "likely"], &story("own-403"), 0);
    code(&["--fail-on", "confirmed"], &koryolink(), 0);
}

#[test]
fn an_unreadable_file_among_readable_ones_is_told_and_does_not_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let noise = folder.path().join("noise.pcap");
    fs::write(&noise, b"this is no capture file at all").unwrap();
    tamperscope()
        .arg("analyze")
        .args([noise, koryolink()])
        .assert()
        .code(3)
        .stdout(predicate::str::contains("instagram.com"))
        .stderr(predicate::str::contains("noise.pcap"));
}

#[test]
fn a_file_name_with_escape_sequences_never_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("a\u{1b}[2Jb.pcap");
    fs::copy(koryolink(), &hostile).unwrap();
    for format in ["text", "jsonl", "eve"] {
        let output = tamperscope()
            .args(["analyze", "--format", format, "--flows"])
            .arg(&hostile)
            .output()
            .unwrap();
        for stream in [&output.stdout, &output.stderr] {
            assert!(!stream.contains(&0x1b), "{format}");
        }
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn a_closed_pipe_is_a_success() {
    let mut child = Process::new(assert_cmd::cargo::cargo_bin!("tamperscope"))
        .args(["analyze", "--format", "jsonl", "--flows"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_capture_filter_leaves_frames_out_and_keeps_their_numbers() {
    let all = records(&[], &[koryolink()]);
    let web = records(&["--filter", "tcp port 80"], &[koryolink()]);
    let frames = |records: &[Value]| {
        let forged = of_type(records, "finding").into_iter().map(|f| f["forged_frames"].clone());
        forged.collect::<Vec<_>>()
    };
    assert_eq!(frames(&all), frames(&web));
    assert!(of_type(&web, "capture")[0]["skipped"]["filtered"].as_u64().unwrap() > 0);
}

#[test]
fn less_sure_findings_can_be_left_out() {
    let sure = records(&["--min-confidence", "confirmed"], &[koryolink()]);
    assert!(of_type(&sure, "finding").is_empty());
    let told = of_type(&sure, "summary")[0]["findings"].as_object().unwrap();
    assert!(told.is_empty());
}

#[test]
fn a_list_of_fingerprints_is_loaded_and_named_in_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("own.csv");
    fs::write(
        &list,
        "name,common_name,pattern,location_found,exp_url,confidence_no_fp,source,scope,expected_countries,notes\n\
         isp_zz_test,Test,This page was closed by order 17 of the ministry,body,,10,[],isp,['ZZ'],\n",
    )
    .unwrap();
    let records = records(&["--fingerprints", list.to_str().unwrap()], &[koryolink()]);
    let lists = of_type(&records, "summary")[0]["tool"]["fingerprints"].as_array().unwrap().clone();
    assert!(
        lists.iter().any(|list| list["name"] == "own.csv" && list["entries"] == 1),
        "{lists:?}"
    );
    tamperscope()
        .args(["analyze", "--fingerprints", "/nonexistent"])
        .arg(koryolink())
        .assert()
        .code(1)
        .stderr(predicate::str::contains("/nonexistent"));
}

#[test]
fn a_list_of_services_is_loaded_named_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("services.txt");
    let hostile = "Photos \u{202e}\u{1b}[2J";
    fs::write(&list, format!("# ours\n{hostile}: i.instagram.com, scontent.instagram.com\n"))
        .unwrap();
    let option = ["--services", list.to_str().unwrap()];
    let records = records(&option, &[koryolink()]);
    let summary = of_type(&records, "summary")[0];
    let told = summary["services"].as_array().unwrap();
    let names: Vec<_> = told.iter().map(|service| service["service"].as_str().unwrap()).collect();
    assert_eq!(names, [hostile, "instagram.com"]);
    assert_eq!(told[0]["by"], "file");
    assert_eq!(told[0]["hosts"]["untouched"]["names"][0], "scontent.instagram.com");
    assert_eq!(told[1]["let_through"][0], "198.51.100.22");
    let host = of_type(&records, "host").into_iter().find(|h| h["host"] == "i.instagram.com");
    assert_eq!(
        (&host.unwrap()["service"], &host.unwrap()["domain"]),
        (&told[0]["service"], &told[1]["service"])
    );
    let lists = &summary["tool"]["services"];
    assert_eq!((&lists[0]["name"], &lists[0]["entries"]), (&"services.txt".into(), &2.into()));
    let output = tamperscope().arg("analyze").args(option).arg(koryolink()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Names of the service “Photos \\u{202e}\\x1b[2J”"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    assert!(text.contains("Names of instagram.com — partly blocked: all 3 names"), "{text}");
}

#[test]
fn a_list_of_services_that_cannot_be_used_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("services.txt");
    fs::write(&list, "Photos: a.example\nNews: b.example, \u{1b}[2J.example\n").unwrap();
    let refused = |path: &Path| {
        let mut command = tamperscope();
        command.args(["analyze", "--services"]).arg(path).arg(koryolink()).assert().code(1)
    };
    refused(&list).stdout("").stderr(
        predicate::str::contains("services.txt: line 2 (byte 35): `\\x1b[2J.example` is no host")
            .and(predicate::str::contains('\u{1b}').not()),
    );
    refused(&folder.path().join("absent")).stderr(predicate::str::contains("absent: "));
}

#[test]
fn the_catalogue_the_manual_and_completions_are_printed() {
    tamperscope().args(["explain", "rst_seq_ahead"]).assert().code(0);
    tamperscope()
        .args(["explain", "rst_seq_ahed"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("rst_seq_ahead"));
    tamperscope().arg("man").assert().code(0).stdout(predicate::str::contains(".TH"));
    tamperscope()
        .args(["completions", "bash"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("tamperscope"));
    tamperscope().arg("--version").assert().code(0);
}

#[test]
fn so_little_memory_that_it_cannot_be_kept_is_told() {
    let stderr = |arguments: &[&str]| {
        let assert = tamperscope().arg("analyze").args(arguments).arg(koryolink()).assert().code(0);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    assert!(stderr(&["--max-memory", "39M"]).contains("less than 40M"));
    assert!(!stderr(&["--max-memory", "40M"]).contains("warning"));
    assert!(!stderr(&["--max-memory", "39M", "--quiet"]).contains("warning"));
}
