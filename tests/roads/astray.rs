//! Who follows a false answer is not with the host that he asked for.
//!
//! In the story two forged answers give one name the address of a machine on the way. The client asks
//! it for a page over HTTP, and gets one; over HTTPS nobody answers.

use tamperscope::evidence::{HostRecord, HostVerdict, Kind};
use tamperscope::pipeline::Settings;

use crate::run::{analyze, settings};
use crate::stories::{Shot, captures_of, shots, stories};
use crate::{rewrite, write};

const FALSE: [u8; 4] = [192, 0, 2, 2];
/// What the resolver itself answered.
const TRUE: [u8; 4] = [203, 0, 113, 10];
/// Nobody's.
const OTHER: [u8; 4] = [203, 0, 113, 77];

fn story() -> Vec<Shot> {
    let story = stories().into_iter().find(|story| story.ends_with("dns-led-astray"));
    shots(&captures_of(&story.expect("a story")))
}

/// What is told of the name, whether or not all flows are, and with any number of lanes.
fn told(shots: &[Shot]) -> HostRecord {
    let run = |flows: bool, lanes: usize| {
        let lanes = lanes.try_into().expect("lanes");
        let settings = Settings { flows, lanes, ..settings() };
        let analysis = analyze(&[write::input("one", write::pcap(shots))], &settings);
        let mut hosts = analysis.hosts.into_iter();
        hosts.find(|host| host.host == "blocked.example").expect("it was asked for")
    };
    let told = run(true, 1);
    for (flows, lanes) in [(true, 2), (true, 8), (false, 1), (false, 2), (false, 8)] {
        assert_eq!(run(flows, lanes), told, "flows {flows}, {lanes} lanes");
    }
    told
}

#[test]
fn an_answer_from_a_false_address_lets_nobody_through() {
    let host = told(&story());
    assert_eq!((host.untouched, host.unclear, host.verdict), (0, 1, HostVerdict::Blocked));
    assert_eq!((host.accesses, host.interfered.get(&Kind::Dns)), (3, Some(&2)));
    assert_eq!((host.untouched_in, host.first_untouched), (None, None));
    assert!(host.untouched_ports.is_empty());
}

/// The innocent twins: the page comes from the address that the resolver gave, or from one that nobody
/// gave.
#[test]
fn an_answer_from_any_other_address_does() {
    for address in [TRUE, OTHER] {
        let host = told(&rewrite::moved(&story(), FALSE, address));
        assert_eq!((host.untouched, host.unclear, host.verdict), (1, 0, HostVerdict::Partly));
        assert_eq!(host.untouched_ports, [80]);
    }
}

/// The same page for another name: nobody gave it that address falsely.
#[test]
fn the_false_address_may_be_another_names_own() {
    let story = rewrite::renamed(&story(), &[("blocked.example", "bystand.example")]);
    let analysis = analyze(&[write::input("one", write::pcap(&story))], &settings());
    let host = analysis.hosts.iter().find(|host| host.host == "bystand.example");
    assert_eq!(host.expect("known").verdict, HostVerdict::Untouched);
}
