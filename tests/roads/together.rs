//! Names that belong together, on the capture of the case that the project began with: one service,
//! several services, and names that only look alike.

use std::sync::Arc;

use tamperscope::capture::Input;
use tamperscope::correlate::ServiceSet;
use tamperscope::evidence::{HostVerdict, JoinedBy};
use tamperscope::pipeline::{Analysis, Settings};

use crate::run::{analyze, settings};
use crate::stories::{Shot, captures_of, shots, stories};
use crate::{rewrite, write};

fn koryolink(file: &str) -> Vec<Shot> {
    let story = stories().into_iter().find(|story| story.ends_with("koryolink")).expect("a story");
    let mut files = captures_of(&story);
    files.retain(|path| path.ends_with(file));
    shots(&files)
}

fn analysis(shots: &[Shot], settings: &Settings) -> Analysis {
    analyze(&[write::input("one", write::pcap(shots))], settings)
}

/// Each service with its verdict, and its names with theirs.
fn told(analysis: &Analysis) -> Vec<String> {
    let names =
        |verdict: &HostVerdict, names: &[String]| format!("{} {}", verdict.name(), names.join(" "));
    let services = analysis.summary.services.iter().map(|service| {
        let hosts: Vec<String> =
            service.hosts.iter().map(|(verdict, of)| names(verdict, &of.names)).collect();
        let by = if service.by == JoinedBy::Domain { "domain" } else { "file" };
        format!("{by} {} {}: {}", service.service, service.verdict.name(), hosts.join("; "))
    });
    services.collect()
}

fn with(list: &str) -> Settings {
    let mut services = ServiceSet::default();
    services.load("own", list.as_bytes()).expect("a list");
    Settings { services: Arc::new(services), ..settings() }
}

#[test]
fn one_host_passes_and_so_does_one_device() {
    let analysis = analysis(&koryolink("3g-client.pcap"), &settings());
    let expected = "domain instagram.com partly: partly i.instagram.com instagram.com \
                    upload.instagram.com www.instagram.com; untouched scontent.instagram.com";
    assert_eq!(told(&analysis), [expected]);
    let service = &analysis.summary.services[0];
    assert_eq!(
        (service.clients, service.clients_interfered, service.clients_let_through),
        (2, 1, 1)
    );
    // The picture that the blocked device got, though the other asked for it later.
    let host = |name: &str| analysis.hosts.iter().find(|host| host.host == name).expect("known");
    let client = |name: &str| host(name).untouched_in.as_ref().map(|access| access.client);
    assert_eq!(client("scontent.instagram.com"), Some([198, 51, 100, 21].into()));
    assert_eq!(client("i.instagram.com"), Some([198, 51, 100, 22].into()));
    let first = analysis.findings.iter().map(|finding| finding.time).min();
    assert_eq!(service.first_interfered, first);
    // Both devices got theirs when the last notice had been sent.
    let answered = analysis.hosts.iter().filter_map(|host| host.first_untouched).min();
    assert!(service.last_interfered < answered);
}

/// The innocent twin: the same visit, from a line on which nobody interferes.
#[test]
fn where_all_names_are_answered_nothing_is_told() {
    let analysis = analysis(&koryolink("control.pcap"), &with("All: .instagram.com"));
    assert_eq!(analysis.hosts.len(), 5);
    assert_eq!(told(&analysis), <[String; 0]>::default());
}

/// Names of different customers below one suffix: what happens to one says nothing of the others.
#[test]
fn customers_of_one_suffix_are_not_told_together() {
    let names = [
        ("scontent.instagram.com", "innocent-bob.github.io"),
        ("upload.instagram.com", "some-newspaper.co.uk"),
        ("www.instagram.com", "shop-seller.co.uk"),
        ("i.instagram.com", "alice.github.io"),
        ("instagram.com", "dan.github.io"),
    ];
    let shots = rewrite::renamed(&koryolink("wired-client.pcap"), &names);
    let analysis = analysis(&shots, &settings());
    let verdict =
        |name: &str| analysis.hosts.iter().find(|host| host.host == name).map(|host| host.verdict);
    for (_, name) in names {
        let passes = name == "innocent-bob.github.io";
        let expected = if passes { HostVerdict::Untouched } else { HostVerdict::Blocked };
        assert_eq!(verdict(name), Some(expected), "{name}");
    }
    assert_eq!(told(&analysis), <[String; 0]>::default());
}

#[test]
fn names_of_other_scripts_and_spellings_belong_together() {
    let names = [
        ("scontent.instagram.com", "cdn12.xn--abc.xn--p1ai"),
        ("upload.instagram.com", "www.xn--abc.xn--p1ai"),
        ("www.instagram.com", "ww.instagram.com."),
        ("i.instagram.com", "Z.INSTAGRAM.COM"),
    ];
    let shots = rewrite::renamed(&koryolink("wired-client.pcap"), &names);
    let expected = [
        "domain instagram.com blocked: blocked instagram.com ww.instagram.com z.instagram.com",
        "domain xn--abc.xn--p1ai partly: blocked www.xn--abc.xn--p1ai; \
         untouched cdn12.xn--abc.xn--p1ai",
    ];
    assert_eq!(told(&analysis(&shots, &settings())), expected);
}

#[test]
fn the_user_says_what_else_belongs_together() {
    let names = [("scontent.instagram.com", "pictures.cdn-images.zz")];
    let shots = rewrite::renamed(&koryolink("wired-client.pcap"), &names);
    let list = "Photos: .instagram.com, .cdn-images.zz\nPosting: upload.instagram.com";
    let expected = "file Photos partly: blocked i.instagram.com instagram.com www.instagram.com; \
                    untouched pictures.cdn-images.zz";
    let analysis = analysis(&shots, &with(list));
    assert_eq!(told(&analysis), [expected]);
    let lists = &analysis.summary.tool.services;
    assert_eq!((lists[0].name.as_str(), lists[0].entries), ("own", 3));
    // It is counted, and nothing is weighed: findings are what they were.
    let without = self::analysis(&shots, &settings());
    assert_eq!(analysis.findings, without.findings);
}

#[test]
fn neither_lanes_nor_the_order_of_files_change_what_is_told() {
    let settings = with("Photos: i.instagram.com, scontent.instagram.com");
    let files: Vec<Input> = ["3g-client.pcap", "wired-client.pcap", "control.pcap"]
        .into_iter()
        .map(|file| write::input(file, write::pcapng(&koryolink(file))))
        .collect();
    let run = |order: [usize; 3], lanes: usize| {
        let inputs: Vec<Input> = order.iter().map(|place| files[*place].clone()).collect();
        let lanes = lanes.try_into().expect("lanes");
        let analysis = analyze(&inputs, &Settings { lanes, ..settings.clone() });
        format!("{:?} {:?}", analysis.hosts, analysis.summary.services)
    };
    let plain = run([0, 1, 2], 1);
    assert!(plain.contains("\"Photos\"") && plain.contains("\"instagram.com\""), "{plain}");
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        for lanes in [1, 2, 8] {
            assert_eq!(run(order, lanes), plain, "{order:?} with {lanes} lanes");
        }
    }
}
