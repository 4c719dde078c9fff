//! Who is believed, and for how long a packet that was heard can be used again.

use super::*;
use crate::{Key, State};

const ALL: [AuthenticationKind; 5] = [
    AuthenticationKind::SimplePassword,
    AuthenticationKind::KeyedMd5,
    AuthenticationKind::MeticulousMd5,
    AuthenticationKind::KeyedSha1,
    AuthenticationKind::MeticulousSha1,
];

fn asked(kind: AuthenticationKind, key_id: u8, key: &str) -> Authentication {
    Authentication { kind, key_id, key: Key::new(kind, key.as_bytes()).expect("it fits") }
}

fn control() -> Control {
    Control {
        diagnostic: 0,
        state: State::Up,
        poll: false,
        final_bit: false,
        demand: false,
        multiplier: 3,
        my_discriminator: 1,
        your_discriminator: 2,
        desired_min_tx: 4_000,
        required_min_rx: 4_000,
        required_min_echo_rx: 0,
    }
}

fn verify(
    receiver: &mut Sequence,
    asked: Option<&Authentication>,
    payload: &[u8],
) -> Result<(), Reject> {
    receiver.verify(asked, &Control::dissect(payload).expect("its form is right"), false)
}

#[test]
fn both_ends_must_ask_for_the_same() {
    for kind in ALL {
        let ours = asked(kind, 1, "secret");
        let sent = Sequence::starting_at(9).seal(Some(&ours), &control(), true);
        let plain = Sequence::starting_at(9).seal(None, &control(), true);
        let mut receiver = Sequence::starting_at(0);
        assert_eq!(verify(&mut receiver, Some(&ours), &sent), Ok(()));
        assert_eq!(verify(&mut receiver, None, &sent), Err(Reject::Authentication));
        assert_eq!(verify(&mut receiver, Some(&ours), &plain), Err(Reject::Authentication));
        for other in ALL.into_iter().filter(|other| *other != kind) {
            let other = asked(other, 1, "secret");
            assert_eq!(verify(&mut receiver, Some(&other), &sent), Err(Reject::AuthenticationForm));
        }
        let other_number = asked(kind, 2, "secret");
        let outcome = verify(&mut receiver, Some(&other_number), &sent);
        assert_eq!(outcome, Err(Reject::AuthenticationForm));
        let other_key = asked(kind, 1, "Secret");
        receiver.forget();
        assert_eq!(verify(&mut receiver, Some(&other_key), &sent), Err(Reject::Digest));
    }
}

#[test]
fn a_meticulous_number_is_used_once_a_keyed_one_may_stay() {
    for (kind, again) in [
        (AuthenticationKind::MeticulousSha1, Err(Reject::Sequence)),
        (AuthenticationKind::MeticulousMd5, Err(Reject::Sequence)),
        (AuthenticationKind::KeyedSha1, Ok(())),
        (AuthenticationKind::KeyedMd5, Ok(())),
    ] {
        let ours = asked(kind, 1, "secret");
        let (mut sender, mut receiver) = (Sequence::starting_at(40), Sequence::starting_at(0));
        let sent = sender.seal(Some(&ours), &control(), true);
        assert_eq!(verify(&mut receiver, Some(&ours), &sent), Ok(()));
        assert_eq!(verify(&mut receiver, Some(&ours), &sent), again, "{}", kind.name());
        let more = sender.seal(Some(&ours), &control(), false);
        assert_eq!(verify(&mut receiver, Some(&ours), &more), Ok(()), "the next one is heard");
        let older = verify(&mut receiver, Some(&ours), &sent);
        assert_eq!(older, again, "an unchanged number is not an older one");
    }
}

#[test]
fn numbers_may_be_ahead_by_three_times_the_multiplier_and_wrap_around() {
    let ours = asked(AuthenticationKind::MeticulousSha1, 1, "secret");
    let sent = |number: u32| {
        Sequence::starting_at(number.wrapping_sub(1)).seal(Some(&ours), &control(), true)
    };
    let mut receiver = Sequence::starting_at(0);
    let mut hear = |number: u32| verify(&mut receiver, Some(&ours), &sent(number));
    assert_eq!(hear(u32::MAX - 1), Ok(()), "any number may be the first");
    assert_eq!(hear(u32::MAX - 1), Err(Reject::Sequence));
    assert_eq!(hear(u32::MAX - 2), Err(Reject::Sequence));
    assert_eq!(hear(8), Err(Reject::Sequence), "ten ahead");
    assert_eq!(hear(7), Ok(()), "nine ahead, over the end");
    assert_eq!(hear(u32::MAX), Err(Reject::Sequence), "far behind");
}

#[test]
fn numbers_may_be_ahead_by_all_that_a_rhythm_bears() {
    let ours = asked(AuthenticationKind::MeticulousSha1, 1, "secret");
    let mut receiver = Sequence::starting_at(0);
    let mut hear = |number: u32| {
        let sent = Sequence::starting_at(number - 1).seal(Some(&ours), &control(), true);
        receiver.verify(Some(&ours), &Control::dissect(&sent).expect("its form is right"), true)
    };
    assert_eq!(hear(100), Ok(()));
    assert_eq!(hear(173), Err(Reject::Sequence), "73 ahead");
    assert_eq!(hear(172), Ok(()), "72 ahead");
}

#[test]
fn a_digest_that_is_wrong_does_not_move_the_number() {
    let ours = asked(AuthenticationKind::MeticulousMd5, 1, "secret");
    let forged = asked(AuthenticationKind::MeticulousMd5, 1, "guess");
    let mut receiver = Sequence::starting_at(0);
    let sent = |by: &Authentication, number| {
        Sequence::starting_at(number).seal(Some(by), &control(), true)
    };
    assert_eq!(verify(&mut receiver, Some(&ours), &sent(&ours, 10)), Ok(()));
    assert_eq!(verify(&mut receiver, Some(&ours), &sent(&forged, 15)), Err(Reject::Digest));
    assert_eq!(verify(&mut receiver, Some(&ours), &sent(&ours, 11)), Ok(()));
}

#[test]
fn keys_that_do_not_fit_are_none() {
    for kind in ALL {
        let longest = "k".repeat(kind.key_len_max());
        assert!(Key::new(kind, longest.as_bytes()).is_some());
        assert!(Key::new(kind, format!("{longest}k").as_bytes()).is_none());
        assert!(Key::new(kind, b"").is_none());
    }
}

#[test]
fn a_key_is_never_shown() {
    let shown = format!("{:?}", asked(AuthenticationKind::KeyedSha1, 3, "secret"));
    assert_eq!(shown, "keyed-sha1 with key 3");
}
