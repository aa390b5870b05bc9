use insta::assert_snapshot;

use super::*;
use crate::evidence::{HostVerdict, NamesRecord};
use crate::report::escape::is_unsafe;
use crate::report::sample::{self, Story};
use crate::wire::Timestamp;

fn printed(story: &Story, style: Style) -> String {
    let outcome = Outcome {
        captures: &story.captures,
        flows: &story.flows,
        findings: &story.findings,
        hosts: &story.hosts,
        services: &story.services,
        summary: &story.summary,
    };
    let mut out = Vec::new();
    write(&mut out, &outcome, style).expect("a vector takes all");
    String::from_utf8(out).expect("it is text")
}

#[test]
fn findings_are_told_by_host() {
    let mut story = sample::blocked();
    story.flows.clear();
    assert_snapshot!(printed(&story, Style::Plain));
}

#[test]
fn flows_are_a_line_each() {
    let mut story = sample::blocked();
    story.findings.clear();
    assert_snapshot!(printed(&story, Style::Plain));
}

#[test]
fn frames_of_several_files_are_told_apart() {
    assert_snapshot!(printed(&sample::several_files(), Style::Plain));
}

#[test]
fn an_empty_result_says_what_it_is_worth() {
    assert_snapshot!(printed(&sample::quiet(), Style::Plain));
}

#[test]
fn damage_and_losses_are_stated() {
    assert_snapshot!(printed(&sample::damaged(), Style::Plain));
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let text = printed(&sample::hostile(), Style::Plain);
    assert!(!text.chars().any(|c| c != '\n' && is_unsafe(c)));
    assert!(!text.lines().any(|line| line.starts_with("Instagram")), "no line can be forged");
    assert_snapshot!(text);
}

#[test]
fn colours_add_nothing_but_colours() {
    let story = sample::blocked();
    let coloured = printed(&story, Style::Colour);
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_ne!(coloured, stripped);
    assert_eq!(stripped, printed(&story, Style::Plain));
}

#[test]
fn of_many_findings_the_surest_are_told_and_the_rest_counted() {
    let mut story = sample::blocked();
    let (sure, doubtful) = (story.findings[2].clone(), story.findings[3].clone());
    story.findings = vec![doubtful; 10];
    story.findings.push(sure);
    for finding in &mut story.findings {
        finding.host = None;
        finding.server = story.flows[0].server;
    }
    let text = printed(&story, Style::Plain);
    assert_eq!(text.matches("Wireshark: ").count(), 8);
    let group = text.split_once("203.0.113.34 (no host name known) — 11 findings\n").expect("one");
    assert!(group.1.starts_with("  Connection broken off by a forged packet (reset): confirmed"));
    assert!(text.contains("further findings of this host: 3 reset possible;"), "{text}");
}

#[test]
fn nothing_read_is_told_as_well() {
    let story = Story { captures: Vec::new(), hosts: Vec::new(), ..sample::quiet() };
    let text = printed(&story, Style::Plain);
    assert!(text.starts_with("Read nothing: 0 packets, 12 flows.\n"), "{text}");
    assert!(text.contains("none of them asked for a host by TLS, HTTP or QUIC"));
}

#[test]
fn long_lists_of_names_and_services_are_counted() {
    let mut story = sample::blocked();
    story.services[0].hosts.insert(
        HostVerdict::Untouched,
        NamesRecord { count: 1_009, names: vec!["mail.example".to_owned()] },
    );
    story.services[0].clients_let_through = 1_001;
    let text = printed(&story, Style::Plain).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("2 of 1,011 names interfered with, 1,009 untouched"), "{text}");
    assert!(
        text.contains("Answered: mail.example (10.63.0.5, flow 5, f61) and 1,008 more."),
        "{text}"
    );
    assert!(text.contains("Let through: 10.63.0.7 and 1,000 more, answered"), "{text}");
    story.services = vec![story.services[0].clone(); 22];
    let text = printed(&story, Style::Plain);
    assert_eq!(text.matches("Names of the service").count(), 20);
    assert!(text.contains("2 further services or domains"), "{text}");
}

#[test]
fn services_are_told_where_their_findings_are() {
    let mut story = sample::blocked();
    story.findings.retain(|finding| finding.host.as_deref() == Some("shop.example"));
    assert!(!printed(&story, Style::Plain).contains("Names of"));
}

#[test]
fn answers_of_before_are_no_answers_of_now() {
    const NOTE: &str = "All answers came before the first interference";
    let mut story = sample::blocked();
    assert!(!printed(&story, Style::Plain).contains(NOTE));
    for access in story.hosts.iter_mut().filter_map(|host| host.untouched_in.as_mut()) {
        access.time = Timestamp::ZERO;
    }
    assert!(printed(&story, Style::Plain).contains(NOTE));
}

#[test]
fn of_names_whose_answers_were_replaced_no_more_is_said() {
    let mut story = sample::blocked();
    story.findings.truncate(1);
    assert!(printed(&story, Style::Plain).contains("News” — partly blocked: "));
    let page = story.findings[0].block_page.as_mut().expect("it has one");
    page.fingerprint = None;
    let text = printed(&story, Style::Plain);
    assert!(text.contains("News” — answers partly replaced: 2 of 3 names"), "{text}");
    assert!(text.contains("\n  Replaced: photos.example"), "{text}");
}
