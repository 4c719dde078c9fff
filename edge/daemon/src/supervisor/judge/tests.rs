//! Processes that hang in each way, and machines that are too busy to let anybody run.

use super::*;

/// A process and its judge, on a clock of their own.
struct Court {
    judge: Judge,
    now: Instant,
    sign: Sign,
    thread: Sighting,
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

impl Court {
    /// A process that has just beaten and sleeps until its next deadline, in 10 ms.
    fn sits() -> Court {
        let now = Instant::from_nanos(1_000_000_000);
        let mut court = Court {
            judge: Judge::new(now),
            now: now + ms(25),
            sign: Sign { beats: 1, due_at: now + ms(35), thread: 7, rings: false },
            thread: Sighting { state: 'S', ran: ms(500) },
        };
        assert_eq!(court.look(), Verdict::Lives);
        court
    }

    /// The same process, which has beaten once more, and an alarm that will ring when it is overdue.
    fn sits_with_an_alarm() -> Court {
        let mut court = Court::sits();
        court.sign = Sign { beats: 2, rings: true, ..court.sign };
        court.now = court.judge.look_at();
        assert_eq!(court.look(), Verdict::Lives);
        court
    }

    fn look(&mut self) -> Verdict {
        let thread = self.thread;
        self.judge.look(self.now, Some(self.sign), |number| {
            assert_eq!(number, 7);
            Some(thread)
        })
    }

    /// Looks when it should, until there is a verdict: that and how long after the last beat was due.
    fn until_verdict(&mut self, mut each_ms: impl FnMut(&mut Court)) -> (Verdict, Duration) {
        loop {
            while self.now < self.judge.look_at() {
                self.now = self.now + ms(1);
                each_ms(self);
            }
            let verdict = self.look();
            let over = self.now.since(self.sign.due_at);
            if !matches!(verdict, Verdict::Lives | Verdict::Overdue) || over > ms(60_000) {
                return (verdict, over);
            }
        }
    }
}

#[test]
fn a_process_that_is_stopped_is_known_within_80_ms() {
    let mut court = Court::sits();
    court.thread.state = 'T';
    let (verdict, after) = court.until_verdict(|_| ());
    assert_eq!(verdict, Verdict::Stopped);
    assert!(after <= ms(80), "{after:?}");
}

#[test]
fn whoever_is_woken_by_the_alarm_knows_as_soon() {
    let mut court = Court::sits_with_an_alarm();
    assert!(court.judge.is_content());
    assert!(court.judge.look_at() >= court.now + ms(1_000), "nobody looks while all is well");
    court.thread.state = 'T';
    court.sign.beats = 3;
    court.sign.due_at = court.now + ms(8);
    let rings_at = court.sign.due_at + LOOK + RINGS_WITHIN;
    court.now = court.sign.due_at + LOOK - ms(1);
    assert_eq!(court.look(), Verdict::Lives, "somebody else woke us");
    court.now = rings_at;
    assert_eq!(court.look(), Verdict::Lives, "it has moved since the last look");
    assert_eq!(court.look(), Verdict::Overdue, "it still rings");
    assert!(!court.judge.is_content(), "it is not listened to any more");
    let (verdict, after) = court.until_verdict(|_| ());
    assert_eq!(verdict, Verdict::Stopped);
    assert!(after <= ms(80), "{after:?}");
}

#[test]
fn whoever_heard_the_alarm_late_was_held_up_as_well() {
    let mut court = Court::sits_with_an_alarm();
    court.sign.due_at = court.now + ms(8);
    court.thread.state = 'R';
    court.now = court.sign.due_at + LOOK + RINGS_WITHIN + ms(300);
    court.thread.ran += ms(300);
    assert_eq!(court.look(), Verdict::Overdue);
    court.now = court.judge.look_at();
    assert_eq!(court.look(), Verdict::Overdue, "what it ran before we looked does not count");
}

#[test]
fn a_process_that_spins_is_known_within_100_ms_of_running() {
    let mut court = Court::sits();
    court.thread.state = 'R';
    let (verdict, after) = court.until_verdict(|court| court.thread.ran += ms(1));
    assert_eq!(verdict, Verdict::Spins);
    assert!(after <= ms(120), "{after:?}");
}

#[test]
fn a_process_that_is_not_let_run_is_not_blamed() {
    let mut court = Court::sits();
    court.thread.state = 'R';
    let mut passed = 0;
    let (verdict, after) = court.until_verdict(|court| {
        passed += 1;
        // It gets the processor for 2 ms in each second, and finishes a turn after 10 s.
        court.thread.ran += if passed % 1000 < 2 { ms(1) } else { ms(0) };
        court.sign.beats = 1 + passed / 10_000;
    });
    assert!(matches!(verdict, Verdict::Lives | Verdict::Overdue), "{verdict:?} after {after:?}");
    let (verdict, after) = Court::sits().until_verdict(|court| court.thread.state = 'R');
    assert_eq!(verdict, Verdict::Starves);
    assert!(after >= ms(30_000), "{after:?}");
}

#[test]
fn a_process_that_waits_for_what_does_not_come_has_three_seconds() {
    let (verdict, after) = Court::sits().until_verdict(|court| court.thread.state = 'S');
    assert_eq!(verdict, Verdict::Waits);
    assert!(after >= ms(3000) && after < ms(3100), "{after:?}");
}

#[test]
fn a_process_that_the_kernel_keeps_waiting_for_ten_seconds_is_not_blamed() {
    let mut court = Court::sits();
    let mut passed = 0;
    let (verdict, after) = court.until_verdict(|court| {
        passed += 1;
        // Now and then it waits for something else for a moment.
        court.thread.state = if passed % 1000 < 100 { 'S' } else { 'D' };
        court.sign.beats = 1 + passed / 10_000;
    });
    assert!(matches!(verdict, Verdict::Lives | Verdict::Overdue), "{verdict:?} after {after:?}");
    let (verdict, after) = Court::sits().until_verdict(|court| court.thread.state = 'D');
    assert_eq!(verdict, Verdict::Waits);
    assert!(after >= ms(30_000) && after < ms(30_100), "{after:?}");
}

#[test]
fn a_machine_that_was_paused_proves_nothing() {
    let mut court = Court::sits();
    court.thread.state = 'R';
    for _ in 0..50 {
        // All of us sleep for 300 ms, which count as running for the thread that was in its turn.
        court.now = court.judge.look_at() + ms(300);
        court.thread.ran += ms(300);
        assert_eq!(court.look(), Verdict::Overdue);
        court.now = court.now + ms(5);
        court.sign.beats += 1;
        court.sign.due_at = court.now + ms(10);
        court.now = court.judge.look_at();
        assert_eq!(court.look(), Verdict::Lives);
        court.now = court.sign.due_at;
    }
    // A thread that was stopped before the pause is found soon after it.
    court.thread.state = 'T';
    court.now = court.judge.look_at() + ms(300);
    assert_eq!(court.look(), Verdict::Overdue);
    court.now = court.judge.look_at();
    assert_eq!(court.look(), Verdict::Stopped);
}

#[test]
fn a_short_stop_is_overlooked() {
    let mut court = Court::sits();
    court.thread.state = 'T';
    court.now = court.judge.look_at();
    assert_eq!(court.look(), Verdict::Overdue);
    court.thread.state = 'S';
    court.sign.beats += 1;
    court.now = court.judge.look_at();
    assert_eq!(court.look(), Verdict::Lives);
}

#[test]
fn a_sleeper_is_looked_at_only_when_it_should_be_awake() {
    let mut court = Court::sits();
    court.sign = Sign { beats: 2, due_at: court.now + ms(500), thread: 7, rings: false };
    court.now = court.judge.look_at();
    assert_eq!(court.look(), Verdict::Lives);
    assert_eq!(court.judge.look_at(), court.sign.due_at + LOOK);
}

#[test]
fn whoever_never_gives_a_sign_of_life_has_ten_seconds() {
    let start = Instant::from_nanos(1);
    let mut judge = Judge::new(start);
    let verdict = loop {
        let now = judge.look_at();
        let verdict = judge.look(now, None, |_| None);
        if verdict != Verdict::Overdue {
            break (verdict, now);
        }
    };
    assert_eq!(verdict.0, Verdict::NeverLived);
    let after = verdict.1.since(start);
    assert!(after >= ms(9_900) && after <= ms(10_100), "{after:?}");
}
