//! Every vector of `proof/vectors/bfd`: read, rebuilt byte for byte, cut, damaged.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they are about")]

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::authenticate::Sequence;
use crate::{Authentication, AuthenticationKind, Key};

struct Vector {
    name: String,
    fields: BTreeMap<String, String>,
    packet: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proof/vectors/bfd");
    let entries = std::fs::read_dir(folder).expect("the folder of vectors can be read");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let mut vectors: Vec<Vector> = paths
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a vector can be read");
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let fields: BTreeMap<String, String> = lines
                .map(|line| line.split_once(' ').unwrap_or((line, "")))
                .map(|(field, value)| (field.to_owned(), value.trim().to_owned()))
                .collect();
            let packet = hexadecimal(&fields["packet"]);
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Vector { name, fields, packet }
        })
        .collect();
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(vectors.len() >= 25, "{} vectors", vectors.len());
    vectors
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

impl Vector {
    fn refused(&self) -> Option<&str> {
        self.fields.get("refused").map(String::as_str)
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("{}: no {name}", self.name))
    }

    fn authentication(&self) -> Option<Authentication> {
        use AuthenticationKind::{
            KeyedMd5, KeyedSha1, MeticulousMd5, MeticulousSha1, SimplePassword,
        };
        let all = [SimplePassword, KeyedMd5, MeticulousMd5, KeyedSha1, MeticulousSha1];
        let asked = self.fields.get("kind")?;
        let kind = all.into_iter().find(|kind| kind.name() == asked).expect("a kind");
        let key = Key::new(kind, self.field("key").as_bytes()).expect("a key that fits");
        Some(Authentication { kind, key_id: self.field("key-id").parse().expect("a number"), key })
    }

    /// A sender whose next number is the one of the packet.
    fn sender(&self) -> Sequence {
        let number = self
            .fields
            .get("sequence")
            .map_or(0, |text| u32::from_str_radix(text, 16).expect("hexadecimal"));
        Sequence::starting_at(number.wrapping_sub(1))
    }
}

#[test]
fn every_good_vector_says_what_it_means() {
    for vector in vectors().iter().filter(|vector| vector.refused().is_none()) {
        let packet = Control::dissect(&vector.packet).expect("a good packet");
        let control = packet.control;
        let micros = |name: &str| -> u32 {
            vector.field(name).trim_end_matches("us").parse().expect("microseconds")
        };
        let number = |name: &str| u32::from_str_radix(vector.field(name), 16).expect("a number");
        let flags = |flag: &str| vector.field("flags").split(' ').any(|set| set == flag);
        let name = &vector.name;
        assert_eq!(control.state.to_string(), vector.field("state"), "{name}");
        assert_eq!(control.diagnostic.to_string(), vector.field("diagnostic"), "{name}");
        assert_eq!(control.multiplier.to_string(), vector.field("times"), "{name}");
        assert_eq!(control.my_discriminator, number("my"), "{name}");
        assert_eq!(control.your_discriminator, number("your"), "{name}");
        assert_eq!(control.desired_min_tx, micros("desired"), "{name}");
        assert_eq!(control.required_min_rx, micros("required"), "{name}");
        assert_eq!(control.required_min_echo_rx, micros("echo"), "{name}");
        assert_eq!(control.poll, flags("poll"), "{name}");
        assert_eq!(control.final_bit, flags("final"), "{name}");
        assert_eq!(control.demand, flags("demand"), "{name}");
        assert_eq!(packet.authenticated, flags("authenticated"), "{name}");
    }
}

#[test]
fn every_good_vector_is_put_together_again_byte_for_byte() {
    for vector in vectors().iter().filter(|vector| vector.refused().is_none()) {
        let control = Control::dissect(&vector.packet).expect("a good packet").control;
        let mut expected = vector.packet.clone();
        // We never claim that our timers run on a card of their own.
        expected[1] &= !0x08;
        let sealed = vector.sender().seal(vector.authentication().as_ref(), &control, true);
        assert_eq!(*sealed, *expected, "{}", vector.name);
    }
}

#[test]
fn every_good_vector_is_authentic_and_none_is_that_was_damaged() {
    for vector in vectors().iter().filter(|vector| vector.refused().is_none()) {
        let asked = vector.authentication();
        let verify = |packet: &[u8]| {
            let packet = Control::dissect(packet)?;
            Sequence::starting_at(0).verify(asked.as_ref(), &packet, false)
        };
        assert_eq!(verify(&vector.packet), Ok(()), "{}", vector.name);
        let Some(Authentication { kind, .. }) = asked else { continue };
        let covered = match kind {
            AuthenticationKind::SimplePassword => MANDATORY_LEN..vector.packet.len(),
            AuthenticationKind::KeyedMd5
            | AuthenticationKind::MeticulousMd5
            | AuthenticationKind::KeyedSha1
            | AuthenticationKind::MeticulousSha1 => 0..vector.packet.len(),
        };
        for bit in covered.start * 8..covered.end * 8 {
            let mut damaged = vector.packet.clone();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(verify(&damaged).is_err(), "{} with bit {bit} turned", vector.name);
        }
    }
}

#[test]
fn every_bad_vector_is_refused_for_its_reason() {
    for vector in vectors().iter().filter(|vector| vector.refused().is_some()) {
        let why = Control::dissect(&vector.packet).err().map(Reject::name);
        assert_eq!(why, vector.refused(), "{}", vector.name);
    }
}

#[test]
fn no_vector_cut_short_is_a_packet() {
    for vector in vectors() {
        for len in 0..vector.packet.len() {
            assert!(Control::dissect(&vector.packet[..len]).is_err(), "{} to {len}", vector.name);
        }
    }
}

#[test]
fn a_first_packet_is_known_by_its_form() {
    for vector in vectors() {
        let first = vector.refused().is_none() && vector.field("your") == "00000000";
        assert_eq!(begins_session(&vector.packet), first, "{}", vector.name);
    }
}
