use super::*;

fn voice(frame: u64, host: &str, server: [u8; 4]) -> Voice {
    Voice {
        said: "the notice x".to_owned(),
        host: host.to_owned(),
        server: server.into(),
        frame: FrameId::new(0, frame),
    }
}

fn told(all: &[Voice], weak: bool) -> Option<Fact> {
    let mut voices = Voices::default();
    all.iter().cloned().for_each(|one| voices.add(one));
    voices.judge(all.first()?, weak)
}

#[test]
fn unrelated_servers_that_say_the_same_are_one_voice() {
    let all = [voice(9, "www.site.com", [192, 0, 2, 1]), voice(7, "Other.org.", [203, 0, 113, 1])];
    let fact = told(&all, false).unwrap();
    assert_eq!((fact.signal, fact.grade), (Signal::OneVoice, Grade::Full));
    assert_eq!(
        fact.text,
        "f9 brings the notice x, and so does f7 in the name of other.org, from another network: 2 unrelated domains say the same"
    );
    assert_eq!(told(&all, true).unwrap().grade, Grade::Half);
}

#[test]
fn one_owner_or_one_place_is_not() {
    let own = [voice(9, "www.site.com", [192, 0, 2, 1]), voice(7, "a.site.com", [203, 0, 113, 1])];
    assert_eq!(told(&own, false), None, "one domain");
    let host = [voice(9, "www.site.com", [192, 0, 2, 1]), voice(7, "other.org", [192, 0, 2, 9])];
    assert_eq!(told(&host, false), None, "one network: a host, or an explicit proxy");
    assert_eq!(told(&own[..1], false), None, "one alone");
    let nameless = [voice(9, "192.0.2.1", [192, 0, 2, 1]), voice(7, "intranet", [203, 0, 113, 1])];
    assert_eq!(told(&nameless, false), None);
}

#[test]
fn other_words_are_another_voice() {
    let mut all =
        [voice(9, "www.site.com", [192, 0, 2, 1]), voice(7, "other.org", [203, 0, 113, 1])];
    all[1].said = "the notice y".to_owned();
    assert_eq!(told(&all, false), None);
}
