//! Messages taken apart, also broken ones.

use super::*;

/// A message with a header around `payload`.
fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).expect("short");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(7u32.to_ne_bytes());
    bytes.extend(9u32.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn answers(bytes: &[u8]) -> Vec<Result<(), Refusal>> {
    Messages::of(bytes)
        .filter_map(|m| match m.body {
            Body::Answer(answer) => Some(answer),
            Body::Done | Body::Other(_) => None,
        })
        .collect()
}

/// An answer with the kernel's sentence behind the echoed header.
fn extended_answer(code: i32, sentence: &str) -> Vec<u8> {
    let mut payload = code.to_ne_bytes().to_vec();
    payload.extend([0; 16]);
    payload.extend(u16::try_from(4 + sentence.len() + 1).expect("short").to_ne_bytes());
    payload.extend(1u16.to_ne_bytes());
    payload.extend(sentence.as_bytes());
    payload.push(0);
    message(2, 0x300, &payload)
}

#[test]
fn the_kernels_sentence_goes_before_the_numbers_text() {
    let said = answers(&extended_answer(-libc::EINVAL, "ipv4: Invalid value"));
    let refusal = said[0].clone().expect_err("refused");
    assert_eq!(refusal, Refusal { errno: libc::EINVAL, message: "ipv4: Invalid value".into() });
    let mut plain = (-libc::ENODEV).to_ne_bytes().to_vec();
    plain.extend([0; 16]);
    let refusal = answers(&message(2, 0, &plain))[0].clone().expect_err("refused");
    assert_eq!(refusal.message, "No such device");
}

#[test]
fn several_messages_come_in_their_order() {
    let mut bytes = message(20, 0, &[1, 2, 3]);
    bytes.extend(message(2, 0, &[0; 20]));
    bytes.extend(message(3, 2, &[0; 4]));
    let kinds: Vec<u16> = Messages::of(&bytes).map(|m| m.kind).collect();
    assert_eq!(kinds, [20, 2, 3]);
    let first = Messages::of(&bytes).next().expect("a message");
    assert_eq!((first.sequence, first.port, first.flags), (7, 9, 0));
    assert!(matches!(first.body, Body::Other([1, 2, 3])));
}

#[test]
fn broken_messages_end_the_walk_and_never_panic() {
    let good = extended_answer(-1, "no");
    for cut in 0..good.len() {
        let _ = answers(&good[..cut]);
    }
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            let _ = answers(&bad);
        }
    }
    assert_eq!(Messages::of(&[0; 64]).count(), 0);
    assert_eq!(Attributes::of(&[0; 64]).count(), 0);
}
