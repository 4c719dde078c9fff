//! Who is watched against its own rhythm is asked before it is judged.

use super::*;

fn every(millis: u32) -> SessionSettings {
    let interval = MS * millis;
    SessionSettings {
        desired_min_tx: interval,
        required_min_rx: interval,
        by_rhythm: true,
        ..SessionSettings::default()
    }
}

/// A session whose peer the test speaks for.
struct Watched {
    wire: Wire,
    ours: u32,
}

impl Watched {
    /// It has shown an even rhythm for long enough to be believed.
    fn proven(interval: u32) -> Watched {
        let wire = alone_and_up(every(interval));
        let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
        let mut watched = Watched { wire, ours };
        (0..6_000 / interval).for_each(|_| watched.hear_after(MS * interval));
        watched.wire.forget_the_past();
        watched
    }

    fn hear_after(&mut self, distance: Duration) {
        self.hear_with(3, distance);
    }

    fn hear_with(&mut self, multiplier: u8, distance: Duration) {
        self.wire.pass(distance);
        self.hear(multiplier);
    }

    /// The peer answers if it was asked, and speaks in its turn.
    fn hear(&mut self, multiplier: u8) {
        let sent = &self.wire.ends[0].sent;
        let was_asked = sent.last().is_some_and(|(_, last)| words(&last.payload).poll);
        let in_turn = Control { multiplier, ..said(State::Up, 7, self.ours) };
        let answer = was_asked.then_some(Control { final_bit: true, ..in_turn });
        answer.into_iter().chain([in_turn]).for_each(|words| self.hear_words(words));
    }

    fn hear_words(&mut self, control: Control) {
        self.wire.hand(0, &bytes(&control)).expect("it is heard");
    }

    /// The next packet leaves so long after an interval, and the peer has been heard meanwhile; how many may be missed, as
    /// it says.
    fn speak_late(&mut self, late: Duration) -> u8 {
        self.hear_after(MS * 8);
        let (last, _) = self.wire.ends[0].sent.last().expect("it spoke");
        self.wire.now = *last + MS * 8 + late;
        self.hear(3);
        self.wire.ends[0].sessions.handle_timeout(self.wire.now);
        self.wire.drain(0);
        self.multiplier_said()
    }

    fn multiplier_said(&self) -> u8 {
        let (_, last) = self.wire.ends[0].sent.last().expect("it spoke");
        words(&last.payload).multiplier
    }

    fn kernel_answers(&mut self) {
        self.wire.input(0, Input::Answered { peer: peer_of(0) }).expect("it is taken in");
    }

    fn questions(&mut self) -> usize {
        std::iter::from_fn(|| self.wire.ends[0].sessions.poll_ask()).count()
    }

    fn view(&self) -> SessionView {
        self.wire.ends[0].view(&peer_of(0))
    }

    fn is_up(&self) -> bool {
        self.view().state == State::Up
    }
}

#[test]
fn a_silent_peer_is_asked_by_packet_and_at_its_kernel_and_judged_after_half_of_what_was_agreed() {
    let mut watched = Watched::proven(8);
    watched.wire.ends[0].sent.clear();
    let heard = watched.wire.now;
    assert_eq!(watched.view().detection, Some(MS * 12));
    watched.wire.pass(MS * 12 - Duration::from_nanos(1));
    assert!(watched.is_up());
    let polls = watched.wire.sent_since(0, heard);
    let polls = polls.iter().filter(|(_, control)| control.poll).map(|(at, _)| at.since(heard));
    assert_eq!(polls.collect::<Vec<_>>(), [8_500, 9_500, 11_500].map(Duration::from_micros));
    assert_eq!((watched.questions(), watched.view().counters.asked), (3, 3));
    watched.wire.pass(MS);
    assert!(!watched.is_up());
    assert_eq!(watched.view().last_down, Some((heard + MS * 12, DownCause::Silent)));
}

#[test]
fn nobody_is_asked_who_keeps_the_rhythm() {
    let mut watched = Watched::proven(8);
    (0..1_000).for_each(|_| watched.hear_after(MS * 8));
    assert_eq!((watched.questions(), watched.view().counters.asked), (0, 0));
}

#[test]
fn an_answer_ends_the_silence_and_the_next_one_is_judged_as_before() {
    let mut watched = Watched::proven(8);
    for _ in 0..100 {
        watched.hear_after(Duration::from_micros(8_900));
    }
    assert!(watched.is_up());
    assert_eq!(watched.view().counters.asked, 100);
    assert_eq!(watched.view().detection, Some(MS * 12), "it answers within half a millisecond");
}

#[test]
fn packets_may_be_lost_one_by_one_as_questions_are_answered() {
    let mut wire = Wire::up(every(8), every(8));
    wire.pass(Duration::from_secs(6));
    wire.forget_the_past();
    for _ in 0..50 {
        let sent = wire.ends[1].sent.len();
        wire.cut[1] = true;
        while wire.ends[1].sent.len() == sent {
            wire.pass(MS / 10);
        }
        wire.cut[1] = false;
        wire.pass(MS * 30);
    }
    assert!(wire.ends[0].told.is_empty(), "{:?}", wire.ends[0].told);
    assert!(wire.ends[0].view(&peer_of(0)).counters.asked >= 50);
}

#[test]
fn a_kernel_that_answers_lengthens_what_is_borne_to_eight_detection_times() {
    let mut watched = Watched::proven(8);
    let heard = watched.wire.now;
    for _ in 0..190 {
        watched.wire.pass(MS / 2);
        if watched.questions() > 0 {
            watched.kernel_answers();
        }
    }
    assert!(watched.is_up(), "its kernel lives");
    assert!(watched.view().counters.answered >= 10);
    watched.wire.pass(MS * 2);
    assert_eq!(watched.view().last_down, Some((heard + MS * 96, DownCause::Silent)));
}

#[test]
fn a_kernel_that_falls_silent_too_is_judged_a_detection_time_later() {
    let mut watched = Watched::proven(8);
    let heard = watched.wire.now;
    watched.wire.pass(MS * 9);
    watched.kernel_answers();
    watched.wire.pass(MS * 20);
    assert_eq!(watched.view().last_down, Some((heard + MS * 21, DownCause::Silent)));
}

#[test]
fn a_process_that_stood_still_while_its_kernel_answered_has_kept_its_rhythm() {
    let mut watched = Watched::proven(8);
    for _ in 0..5 {
        watched.wire.pass(MS * 9);
        watched.kernel_answers();
        watched.hear_after(MS * 10);
        watched.hear_after(MS * 8);
    }
    assert!(watched.is_up());
    assert_eq!(watched.view().detection, Some(MS * 12), "0.5 ms to answer");
}

#[test]
fn silence_counts_from_the_packets_that_all_hear_and_not_from_an_answer_beside_them() {
    let mut watched = Watched::proven(8);
    let heard = watched.wire.now;
    watched.wire.pass(MS * 7);
    watched.hear_words(Control { final_bit: true, ..said(State::Up, 7, watched.ours) });
    watched.wire.pass(MS * 10);
    assert_eq!(watched.view().last_down, Some((heard + MS * 12, DownCause::Silent)));
}

#[test]
fn an_answer_that_brings_another_pace_begins_it() {
    let mut watched = Watched::proven(8);
    let answer = Control { final_bit: true, ..said(State::Up, 7, watched.ours) };
    watched.hear_words(Control { final_bit: false, desired_min_tx: 100_000, ..answer });
    watched.wire.pass(MS * 100);
    let heard = watched.wire.now;
    watched.hear_words(answer);
    watched.wire.pass(MS * 200);
    assert_eq!(watched.view().last_down, Some((heard + MS * 96, DownCause::Silent)));
}

#[test]
fn an_answer_of_a_kernel_that_nobody_asked_counts_for_nothing() {
    let mut watched = Watched::proven(8);
    watched.wire.pass(MS * 8);
    watched.kernel_answers();
    watched.wire.pass(MS * 5);
    assert!(!watched.is_up());
    assert_eq!(watched.view().counters.answered, 0);
}

#[test]
fn whoever_asks_late_waits_for_the_answer_as_long() {
    let mut watched = Watched::proven(8);
    let heard = watched.wire.now;
    watched.wire.freeze(MS * 15);
    watched.wire.ends[0].sessions.handle_timeout(watched.wire.now);
    watched.wire.pass(MS * 20);
    // It was to ask after 8.5 ms and asked after 15: 6.5 ms more.
    let down = watched.view().last_down;
    assert_eq!(down, Some((heard + Duration::from_micros(21_500), DownCause::Silent)));
}

#[test]
fn whoever_slept_when_it_was_to_ask_judges_nobody() {
    let mut watched = Watched::proven(8);
    watched.wire.freeze(MS * 21);
    watched.wire.ends[0].sessions.handle_timeout(watched.wire.now);
    watched.wire.drain(0);
    let why = watched.view().last_down.map(|(_, why)| why);
    assert_eq!(why, Some(DownCause::Overslept));
    assert_eq!(watched.questions(), 0);
}

#[test]
fn whoever_is_late_on_a_busy_machine_goes_on_asking() {
    let mut watched = Watched::proven(8);
    watched.hear_after(MS * 11);
    watched.questions();
    watched.wire.freeze(MS * 21);
    watched.wire.ends[0].sessions.handle_timeout(watched.wire.now);
    assert!(watched.is_up() && watched.questions() == 1, "24 ms are borne, and it is 12.5 ms late");
    watched.hear_after(MS * 12);
    assert!(watched.is_up(), "the answer is waited for as long as it was late to ask");
}

#[test]
fn who_came_irregularly_before_is_waited_for_longer() {
    let mut watched = Watched::proven(8);
    watched.hear_after(MS * 11);
    watched.wire.pass(MS * 23);
    assert!(watched.is_up(), "it took 2.5 ms to answer: doubled, 24 ms");
    watched.wire.pass(MS * 2);
    assert!(!watched.is_up());
}

#[test]
fn what_is_agreed_while_a_peer_is_silent_is_no_reason_to_judge_it_sooner() {
    let mut watched = Watched::proven(10);
    watched.hear_after(MS * 14);
    watched.hear_after(MS * 25);
    assert_eq!(watched.view().detection, Some(MS * 60), "15 ms, doubled until 39 ms fit in");
    // A quicker pace, at which it would be 24 ms.
    watched.wire.watch(0, every(4));
    assert_eq!(watched.view().detection, Some(MS * 60));
    watched.wire.pass(MS * 59);
    assert!(watched.is_up());
    watched.wire.pass(MS * 2);
    assert!(!watched.is_up());
}

#[test]
fn a_peer_that_speaks_at_another_pace_has_to_prove_itself_again() {
    let mut wire = Wire::up(every(8), SessionSettings { desired_min_tx: MS * 100, ..every(8) });
    wire.pass(Duration::from_secs(6));
    let detection = |wire: &Wire| wire.ends[0].view(&peer_of(0)).detection;
    assert_eq!(detection(&wire), Some(MS * 150), "it speaks every 100 ms");
    wire.watch(1, every(8));
    wire.pass(LATENCY);
    assert_eq!(detection(&wire), Some(MS * 96), "it speaks every 8 ms, since a moment ago");
    wire.pass(Duration::from_secs(6));
    assert_eq!(detection(&wire), Some(MS * 12));
    assert!(wire.ends[0].told.iter().all(|event| !matches!(event, Event::Down { .. })));
}

#[test]
fn packets_may_rest_where_others_are_listened_to_closely_and_nobody_waits_for_us() {
    let at_ease = SessionSettings { desired_min_tx: MS * 100, ..every(8) };
    let may_rest = |wire: &Wire| [0, 1].map(|end| wire.ends[end].sessions.may_rest());
    let mut wire = Wire::up(every(8), at_ease.clone());
    wire.pass(Duration::from_secs(1));
    assert_eq!(may_rest(&wire), [false, true], "an Active and its Backup");
    let questions = wire.ends[1].sessions.poll_timeout().expect("it listens").at;
    assert!(questions.since(wire.now) <= MS * 10);
    wire.watch(1, every(8));
    wire.pass(Duration::from_secs(1));
    assert_eq!(may_rest(&wire), [false, false], "both are to be missed at once");
    let mut wire = Wire::up(at_ease.clone(), at_ease);
    wire.pass(Duration::from_secs(1));
    assert_eq!(may_rest(&wire), [false, false], "no deadline comes soon");
}

#[test]
fn a_packet_that_leaves_late_says_so_itself_and_those_of_the_next_ten_seconds() {
    for (late, multiplier) in [(1_999, 3), (2_001, 6), (9_000, 12), (30_000, 24)] {
        let mut watched = Watched::proven(8);
        assert_eq!(watched.speak_late(Duration::from_micros(late)), multiplier, "{late}");
        (0..1_200).for_each(|_| watched.hear_after(MS * 8));
        assert_eq!(watched.multiplier_said(), multiplier, "{late}: still remembered");
        (0..1_500).for_each(|_| watched.hear_after(MS * 8));
        assert_eq!(watched.multiplier_said(), 3, "{late}: forgotten");
    }
}

#[test]
fn what_is_late_right_after_the_start_says_nothing() {
    let wire = alone_and_up(every(8));
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    let mut watched = Watched { wire, ours };
    (0..200).for_each(|_| watched.hear_after(MS * 8));
    assert_eq!(watched.speak_late(MS * 9), 3);
}

#[test]
fn a_peer_that_says_it_may_be_late_is_given_that_time_and_no_longer_than_it_says() {
    let mut watched = Watched::proven(8);
    for (multiplier, detection) in [(6, 24), (24, 96), (3, 12), (6, 24)] {
        watched.hear_with(multiplier, MS * 8);
        assert_eq!(watched.view().detection, Some(MS * detection), "{multiplier}");
    }
    assert!(watched.wire.ends[0].told.is_empty(), "it comes and goes");
    watched.wire.pass(MS * 23);
    assert!(watched.is_up());
    let heard = watched.wire.now - MS * 23;
    watched.wire.pass(MS * 2);
    assert!(!watched.is_up());
    let since = watched.wire.ends[0].told.iter().find_map(|event| match event {
        Event::Down { missing, .. } => Some(*missing),
        Event::Up { .. } | Event::Timed { .. } => None,
    });
    assert_eq!(since, Some(heard + MS * 10), "however much was borne");
}

#[test]
fn a_session_that_was_asked_for_says_what_was_asked_for_however_late_it_speaks() {
    let mut wire = alone_and_up(SessionSettings { by_rhythm: false, ..every(8) });
    let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
    for _ in 0..400 {
        wire.pass(MS * 8);
        wire.hand(0, &bytes(&said(State::Up, 7, ours))).expect("it is heard");
    }
    let mut watched = Watched { wire, ours };
    assert_eq!(watched.speak_late(MS * 9), 3);
}

#[test]
fn the_answer_to_a_question_does_not_stand_for_one_to_terms_that_came_up_after_it() {
    let mut watched = Watched::proven(8);
    watched.wire.pass(Duration::from_micros(8_600));
    assert_eq!(watched.view().counters.asked, 1);
    let at_ease = SessionSettings { desired_min_tx: MS * 100, ..every(8) };
    watched.wire.watch(0, at_ease);
    watched.hear_after(Duration::from_micros(100));
    assert_eq!(watched.view().transmit_interval, Some(MS * 8), "the peer has not heard of it");
    watched.wire.pass(MS * 8);
    let (_, last) = watched.wire.ends[0].sent.last().expect("it speaks");
    let last = words(&last.payload);
    assert_eq!((last.poll, last.desired_min_tx), (true, 100_000), "now it has");
    watched.hear(3);
    assert_eq!(watched.view().transmit_interval, Some(MS * 100));
}

#[test]
fn answers_that_were_lost_keep_terms_waiting_for_a_few_packets_only() {
    let mut watched = Watched::proven(8);
    for _ in 0..100 {
        watched.hear_after(MS * 11);
    }
    assert!(watched.is_up() && watched.view().counters.asked >= 100);
    let at_ease = SessionSettings { desired_min_tx: MS * 100, ..every(8) };
    watched.wire.watch(0, at_ease);
    (0..20).for_each(|_| watched.hear_after(MS * 8));
    assert_eq!(watched.view().transmit_interval, Some(MS * 100));
}
