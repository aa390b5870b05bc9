//! What one forged answer shows of others.

use super::*;

/// The first exchange that `shots` make about `name`, which is seven letters long.
fn about(name: [u8; 4], shots: Vec<Shot>, first: u64) -> Exchange {
    let mut book = Book::default();
    for (number, mut shot) in (first..).zip(shots) {
        shot.bytes[13..17].copy_from_slice(&name);
        let message = Message::read(&shot.bytes, false).expect("a header");
        book.message(message, stamp(&shot, number), shot.way, list());
    }
    book.finish(list()).remove(0)
}

/// A resolver that has answered six other questions.
fn usual() -> Habits {
    let mut habits = Habits::default();
    for n in 0..6 {
        let usual = about(*b"usua", vec![asks(n), answers(n + 56, &[A])], 1);
        habits.add([CLIENT, SERVER], &usual, Some(list()));
    }
    habits
}

/// What one of its answers shows with a false one before it, `proven` or only likely.
fn shown(habits: &Habits, proven: bool) -> Forgeries {
    let shown = about(*b"once", vec![asks(0), forges(7, &[B]), answers(56, &[A])], 100);
    let found = judge(&shown, SERVER, habits, (list(), &Forgeries::default()));
    let mut known = Forgeries::default();
    known.add(&shown, SERVER, (&found.expect("a contradiction"), proven));
    known
}

#[test]
fn an_address_that_was_shown_to_be_false_is_false_for_other_names() {
    let list = list();
    let habits = usual();
    let none = Forgeries::default();
    let known = shown(&habits, true);
    // The true answer of another name was swallowed; the false one took the resolver's time.
    let lone = about(*b"lone", vec![asks(0), forges(57, &[B])], 200);
    assert_eq!(judge(&lone, SERVER, &habits, (list, &none)), None);
    let suspicion = judge(&lone, SERVER, &habits, (list, &known)).expect("the same answer");
    assert_eq!(grade_of(&suspicion, Signal::DnsFalseAgain), Some(Grade::Full));
    assert_eq!(numbers(&suspicion.forged), [201]);
    let told = suspicion.facts.iter().find(|fact| fact.signal == Signal::DnsFalseAgain);
    assert!(told.is_some_and(|fact| {
        fact.text.contains("which is proven to be a false answer in f101, for once")
    }));
    // Another address from elsewhere is an answer from another machine of the resolver, and no more; and
    // what the resolver answers itself is its answer, whatever another name had.
    let other = about(*b"lone", vec![asks(0), Shot { ttl: 57, ..forges(57, &[C]) }], 200);
    let own = about(*b"lone", vec![asks(0), answers(57, &[B])], 200);
    for exchange in [other, own] {
        assert_eq!(judge(&exchange, SERVER, &habits, (list, &known)), None);
    }
    // Nor is an answer its own witness.
    let again = about(*b"once", vec![asks(0), forges(57, &[B])], 300);
    assert_eq!(judge(&again, SERVER, &habits, (list, &known)), None);
}

#[test]
fn false_addresses_do_not_depend_on_the_order() {
    let exchange =
        |name, first| about(name, vec![asks(0), forges(7, &[B]), answers(56, &[A])], first);
    let all = [
        exchange(*b"aaaa", 30),
        exchange(*b"bbbb", 20),
        exchange(*b"aaaa", 10),
        exchange(*b"cccc", 5),
    ];
    let proof = |exchange: &Exchange| {
        judge(exchange, SERVER, &Habits::default(), (list(), &Forgeries::default())).unwrap()
    };
    let known = |order: &[usize]| {
        let mut known = Forgeries::default();
        for place in order {
            known.add(&all[*place], SERVER, (&proof(&all[*place]), place % 2 == 0));
        }
        known
    };
    assert_eq!(known(&[0, 1, 2, 3]), known(&[3, 2, 1, 0]));
    assert_eq!(known(&[2, 0, 3, 1]), known(&[1, 3, 0, 2]));
}

#[test]
fn answers_of_a_proven_forger_s_make_are_his_for_other_names() {
    let list = list();
    let habits = usual();
    let none = Forgeries::default();
    let known = shown(&habits, true);
    let grade = |shot: Shot| {
        let lone = about(*b"lone", vec![asks(0), shot], 200);
        assert_eq!(judge(&lone, SERVER, &habits, (list, &none)), None, "alone it is odd at most");
        let suspicion = judge(&lone, SERVER, &habits, (list, &known))?;
        assert_eq!(numbers(&suspicion.forged), [201]);
        let told = suspicion.facts.iter().find(|fact| fact.signal == Signal::DnsSenderAgain)?;
        assert!(told.text.contains("as f101 has, which is proven"), "{}", told.text);
        Some(told.grade)
    };
    // The true answer was swallowed; the false one took the resolver's time.
    assert_eq!(grade(forges(57, &[C])), Some(Grade::Full), "one IP-ID");
    let numbered = Shot { ip_id: 41_000, ..forges(57, &[C]) };
    assert_eq!(
        grade(numbered.clone()),
        Some(Grade::Full),
        "one program, which is not the resolver's"
    );
    // Of a forgery that is only likely less follows.
    let likely = shown(&habits, false);
    let lone = about(*b"lone", vec![asks(0), forges(57, &[B])], 200);
    let suspicion = judge(&lone, SERVER, &habits, (list, &likely)).expect("a false answer");
    for signal in [Signal::DnsFalseAgain, Signal::DnsSenderAgain] {
        assert_eq!(grade_of(&suspicion, signal), Some(Grade::Half));
    }
    // From there, and as the resolver itself answers: another machine of its own.
    let whole = Shot { bytes: message(RA, true, &[C]), ..numbered };
    assert_eq!(grade(whole.clone()), None);
    // From elsewhere.
    assert_eq!(grade(Shot { ttl: 63, ..forges(57, &[C]) }), None);
    // From the resolver's own distance.
    assert_eq!(grade(Shot { ip_id: 40_000, ..answers(57, &[C]) }), None);
    // In another resolver's name.
    let lone = about(*b"lone", vec![asks(0), forges(57, &[C])], 200);
    let elsewhere = IpAddr::from([203, 0, 113, 54]);
    assert_eq!(judge(&lone, elsewhere, &habits, (list, &known)), None);
    // Nor is an answer its own witness.
    let again = about(*b"once", vec![asks(0), forges(57, &[C])], 300);
    assert_eq!(judge(&again, SERVER, &habits, (list, &known)), None);
}

#[test]
fn what_the_resolver_says_itself_is_true_whoever_gave_it() {
    let list = list();
    let mut habits = usual();
    let known = shown(&habits, true);
    // A name that really lives at the address which was false for another one.
    let lone = about(*b"lone", vec![asks(0), forges(57, &[B])], 200);
    habits.add([CLIENT, SERVER], &lone, Some(list));
    assert!(judge(&lone, SERVER, &habits, (list, &known)).is_some());
    let other = about(*b"lone", vec![asks(0), answers(56, &[A])], 300);
    habits.add([CLIENT, SERVER], &other, Some(list));
    assert!(judge(&lone, SERVER, &habits, (list, &known)).is_some(), "it says something else");
    let own = about(*b"lone", vec![asks(0), answers(56, &[B])], 400);
    habits.add([CLIENT, SERVER], &own, Some(list));
    assert_eq!(judge(&lone, SERVER, &habits, (list, &known)), None);
}

#[test]
fn an_answer_too_soon_with_a_known_false_address_is_not_believed_beside_another() {
    let list = list();
    let habits = usual();
    let none = Forgeries::default();
    let known = shown(&habits, true);
    // Two forged ones, of which the first has the resolver's TTL and make; the true one is lost.
    let both = |at| about(*b"both", vec![asks(0), answers(at, &[B]), forges(at + 1, &[C])], 200);
    let told = |exchange: &Exchange, known: &Forgeries| {
        let found = judge(exchange, SERVER, &habits, (list, known)).expect("a contradiction");
        (numbers(&found.forged), numbers(&found.genuine))
    };
    assert_eq!(told(&both(7), &none), (vec![202], vec![201]), "nothing else is known of it");
    assert_eq!(told(&both(7), &known), (vec![201, 202], vec![]));
    // In the resolver's own time the address is its answer: forgers give real ones, too.
    assert_eq!(told(&both(57), &known), (vec![202], vec![201]));
    let doubted = judge(&both(57), SERVER, &habits, (list, &known)).expect("a contradiction");
    assert!(
        doubted
            .alternatives
            .iter()
            .any(|open| open
                .contains("f201 holds 192.0.2.113, a false answer for once.example in f101")),
        "{:?}",
        doubted.alternatives
    );
}
