//! The laws of a machine, and that steady watching costs no memory.

use super::*;

fn transcript(seed: u64) -> Vec<String> {
    let mut wire = Wire::quiet();
    wire.ends[0] = End::new(seed);
    wire.watch(0, plain());
    wire.watch(1, plain());
    wire.pass(MS * 500);
    wire.cut[0] = true;
    wire.pass(MS * 2_000);
    wire.ends[0].sent.iter().map(|sent| format!("{sent:?}")).collect()
}

#[test]
fn the_same_seed_and_inputs_give_the_same_packets_at_the_same_moments() {
    assert_eq!(transcript(11), transcript(11));
    assert_ne!(transcript(11), transcript(12));
}

#[test]
fn early_is_harmless_late_acts_once_and_the_next_deadline_is_ahead() {
    let mut wire = Wire::up(plain(), plain());
    wire.cut = [true; 2];
    for late in [0, 1, 7, 100, 5_000] {
        let deadline = wire.ends[0].sessions.poll_timeout().expect("it goes on");
        wire.forget_the_past();
        let early = deadline.at - Duration::from_nanos(1);
        wire.ends[0].sessions.handle_timeout(early);
        wire.drain(0);
        assert!(wire.ends[0].sent.is_empty() && wire.ends[0].told.is_empty());
        assert_eq!(wire.ends[0].sessions.poll_timeout(), Some(deadline));
        wire.now = deadline.at + MS * late;
        wire.ends[0].sessions.handle_timeout(wire.now);
        wire.drain(0);
        assert!(wire.ends[0].sent.len() <= 2, "a packet in turn and a change of state");
        assert!(wire.ends[0].sessions.poll_timeout().is_none_or(|next| next.at > wire.now));
    }
}

#[test]
fn sessions_that_flap_forever_send_a_bounded_number_of_packets() {
    let mut wire = alone(plain());
    let start = wire.now;
    wire.forget_the_past();
    for n in 0..20_000_u32 {
        wire.now = start + MS * n / 2;
        let ours = wire.ends[0].view(&peer_of(0)).local_discriminator;
        let state = [State::Down, State::Init, State::Up, State::Down][n as usize % 4];
        let _ = wire.hand(0, &bytes(&said(state, 7, ours)));
        if wire.ends[0].sessions.poll_timeout().is_some_and(|due| due.at <= wire.now) {
            wire.ends[0].sessions.handle_timeout(wire.now);
            wire.drain(0);
        }
    }
    let sent = wire.ends[0].sent.len();
    assert!(sent < 10 * 500, "{sent} packets in ten seconds of flapping");
}
