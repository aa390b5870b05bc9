use insta::assert_snapshot;

use super::*;
use crate::evidence::{HostVerdict, NamesRecord};
use crate::report::escape::is_unsafe;
use crate::report::sample::{self, Story};
use crate::wire::{FrameId, Timestamp};

fn printed(story: &Story, style: Style) -> String {
    let outcome = Outcome {
        captures: &story.captures,
        flows: &story.flows,
        findings: &story.findings,
        hosts: &story.hosts,
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
fn a_page_behind_the_servers_own_answer_was_not_shown() {
    let mut story = sample::blocked();
    assert!(!printed(&story, Style::Plain).contains("Too late to be shown"));
    let later = |frame: &FrameId| FrameId::new(frame.file(), frame.number() + 1);
    for finding in &mut story.findings {
        finding.genuine_frames = finding.forged_frames.clone();
        finding.forged_frames = finding.forged_frames.iter().map(later).collect();
    }
    let text = printed(&story, Style::Plain);
    assert!(text.contains("Too late to be shown") && !text.contains("Shown instead"), "{text}");
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
    let service = &mut story.summary.services[0];
    let mail = NamesRecord { count: 1_009, names: vec!["mail.example".to_owned()] };
    service.hosts.insert(HostVerdict::Untouched, mail);
    service.clients_let_through = 1_001;
    let text = printed(&story, Style::Plain).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("2 of 1,011 names interfered with, 1,009 untouched"), "{text}");
    assert!(
        text.contains("Answered: mail.example (10.63.0.5, flow 5, f61) and 1,008 more."),
        "{text}"
    );
    assert!(text.contains("Let through: 10.63.0.7 and 1,000 more, answered"), "{text}");
    story.summary.services = vec![story.summary.services[0].clone(); 22];
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
fn answers_of_another_time_are_no_answers_of_now() {
    /// What is said of the service when its names were answered at these times.
    fn told(mail: [Timestamp; 2], news: [Timestamp; 2]) -> String {
        let mut story = sample::blocked();
        for (name, [first, last]) in [("mail.example", mail), ("news.example", news)] {
            let host = story.hosts.iter_mut().find(|host| host.host == name).expect("it is there");
            host.first_untouched = Some(first);
            host.last_untouched = Some(last);
        }
        let text = printed(&story, Style::Plain);
        let (_, told) = text.split_once("Names of the service").expect("it is told");
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    }
    let service = sample::blocked().summary.services.remove(0);
    let (begin, end) = (service.first_interfered.unwrap(), service.last_interfered.unwrap());
    let (before, after) = (Timestamp::ZERO, Timestamp::from_nanos(i64::MAX));
    let (early, late) = ("from before the first interference", "from after the last interference");
    // The first and the last moment of the interference belong to it.
    for [mail, news] in [[[begin; 2], [end; 2]], [[before, after], [begin, after]]] {
        let text = told(mail, news);
        assert!(!text.contains(early) && !text.contains(late), "{text}");
    }
    let text = told([before; 2], [before; 2]);
    assert!(text.contains(&format!("f61). All answers are of connections {early}: by")), "{text}");
    let text = told([after; 2], [after; 2]);
    assert!(text.contains(&format!("f61). All answers are of connections {late}: it")), "{text}");
    let text = told([after; 2], [before; 2]);
    let noted = |name: &str, side: &str| {
        text.contains(&format!("{name} (10.63.0.5, flow 5, f61; only in connections {side})"))
    };
    assert!(noted("mail.example", late) && noted("news.example", early), "{text}");
    assert!(!text.contains("All answers"), "{text}");
    let text = told([after; 2], [before, end]);
    assert_eq!(text.matches("only in connections").count(), 1, "{text}");
}

#[test]
fn of_names_that_are_not_listed_no_time_is_told() {
    let mut story = sample::blocked();
    for host in &mut story.hosts {
        (host.first_untouched, host.last_untouched) =
            (Some(Timestamp::ZERO), Some(Timestamp::ZERO));
    }
    assert!(printed(&story, Style::Plain).contains("All answers"));
    let names = story.summary.services[0].hosts.get_mut(&HostVerdict::Untouched);
    names.expect("there are some").count += 1;
    assert!(!printed(&story, Style::Plain).contains("All answers"));
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

#[test]
fn what_is_interfered_with_on_one_port_and_open_on_the_other_is_told_by_protocol() {
    let told = |untouched: &[u16], hit: u16| {
        let mut story = sample::blocked();
        for host in &mut story.hosts {
            host.untouched_ports = untouched.to_vec();
        }
        for finding in &mut story.findings {
            finding.server.port = hit;
        }
        let text = printed(&story, Style::Plain);
        text.lines().find(|line| line.starts_with("news.example \u{2014} ")).map(str::to_owned)
    };
    let line = told(&[443], 80).expect("it is there");
    assert!(line.contains("blocked over HTTP, open over HTTPS: "), "{line}");
    let line = told(&[80], 443).expect("it is there");
    assert!(line.contains("blocked over HTTPS, open over HTTP: "), "{line}");
    for (untouched, hit) in [(&[443][..], 443), (&[80, 443], 80), (&[8080], 80)] {
        let line = told(untouched, hit).expect("it is there");
        assert!(line.contains("partly blocked: "), "{line}");
    }
}
