//! BFD control packets in the words of a talk, read and written without the code under test.

use std::fmt::Write;
use std::time::Duration;

use crate::talk::{Words, length};

const STATES: [&str; 4] = ["AdminDown", "Down", "Init", "Up"];
const AUTHENTICATED: u8 = 0x04;
/// The type and the number of the key in a section with a password. RFC 5880 §4.1, §4.2.
const SIMPLE: u8 = 1;
const KEY_ID: u8 = 1;
/// Bits of the second byte, by name. RFC 5880 §4.1.
const FLAGS: [(&str, u8); 6] = [
    ("poll", 0x20),
    ("final", 0x10),
    ("independent", 0x08),
    ("authenticated", AUTHENTICATED),
    ("demand", 0x02),
    ("multipoint", 0x01),
];

/// The mandatory section of a packet, and the password that may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ControlMessage {
    pub state: u8,
    pub diagnostic: u8,
    pub flags: u8,
    pub times: u8,
    pub my: u32,
    pub your: u32,
    pub desired: u32,
    pub required: u32,
    pub echo: u32,
    pub password: Option<Password>,
}

/// 1 to 16 characters, filled up with zeros. RFC 5880 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Password([u8; 16]);

impl Password {
    fn of(text: &[u8]) -> Option<Password> {
        let mut bytes = [0; 16];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Password(bytes))
    }

    fn text(&self) -> &[u8] {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..len]
    }
}

impl ControlMessage {
    /// What a peer says that is in a state and has these numbers, with a packet every 4 ms.
    pub(crate) fn plain(state: &str, my: u32, your: u32) -> Option<ControlMessage> {
        let state = STATES.iter().position(|name| *name == state)?;
        Some(ControlMessage {
            state: u8::try_from(state).ok()?,
            diagnostic: 0,
            flags: 0,
            times: 3,
            my,
            your,
            desired: 4_000,
            required: 4_000,
            echo: 0,
            password: None,
        })
    }

    /// `poll`, `times 5`, `desired 10ms` and the like; false if it is not about the packet.
    pub(crate) fn adjust(&mut self, word: &str, words: &mut Words<'_>) -> Result<bool, String> {
        if let Some((_, bit)) = FLAGS.iter().find(|(name, _)| *name == word) {
            self.flags |= bit;
            return Ok(true);
        }
        let micros = |length: Duration| u32::try_from(length.as_micros()).unwrap_or(u32::MAX);
        match word {
            "password" => {
                let text = words.word("the password")?.as_bytes();
                self.password = Some(Password::of(text).ok_or("the password is too long")?);
                self.flags |= AUTHENTICATED;
            }
            "times" => self.times = words.value("the multiplier")?,
            "because" => self.diagnostic = words.value("the diagnostic")?,
            "my" => self.my = words.value("its number")?,
            "your" => self.your = words.value("our number")?,
            "desired" => self.desired = micros(words.duration("the desired interval")?),
            "required" => self.required = micros(words.duration("the required interval")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x20 | self.diagnostic, self.state << 6 | self.flags, self.times, 24];
        for word in [self.my, self.your, self.desired, self.required, self.echo] {
            bytes.extend(word.to_be_bytes());
        }
        if let Some(password) = self.password {
            let section = short(3 + password.text().len());
            bytes.extend([SIMPLE, section, KEY_ID]);
            bytes.extend(password.text());
            bytes[3] += section;
        }
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<ControlMessage> {
        let [first, second, times, len, words @ ..] = bytes else { return None };
        let (numbers, section) = words.split_at_checked(20)?;
        let (words, []) = numbers.as_chunks::<4>() else { return None };
        let [my, your, desired, required, echo] = *words else { return None };
        let password = match section {
            [] => None,
            [SIMPLE, own, KEY_ID, text @ ..] if *own == short(section.len()) => {
                Some(Password::of(text)?)
            }
            _ => return None,
        };
        if usize::from(*len) != bytes.len() {
            return None;
        }
        Some(ControlMessage {
            state: second >> 6,
            diagnostic: first & 0x1f,
            flags: second & 0x3f,
            times: *times,
            my: u32::from_be_bytes(my),
            your: u32::from_be_bytes(your),
            desired: u32::from_be_bytes(desired),
            required: u32::from_be_bytes(required),
            echo: u32::from_be_bytes(echo),
            password,
        })
    }

    /// All but our own number, which is drawn.
    pub(crate) fn sentence(&self) -> String {
        let micros = |micros: u32| length(Duration::from_micros(u64::from(micros)));
        let state = STATES[usize::from(self.state & 3)];
        let mut text = format!("bfd {state}");
        for (name, bit) in FLAGS {
            let is_told = bit == AUTHENTICATED && self.password.is_some();
            if self.flags & bit != 0 && !is_told {
                let _ = write!(text, " {name}");
            }
        }
        if self.diagnostic != 0 {
            let _ = write!(text, " because {}", self.diagnostic);
        }
        let (desired, required) = (micros(self.desired), micros(self.required));
        let _ = write!(text, " your {} times {}", self.your, self.times);
        let _ = write!(text, " desired {desired} required {required}");
        if self.echo != 0 {
            let _ = write!(text, " echo {}", micros(self.echo));
        }
        if let Some(password) = &self.password {
            let _ = write!(text, " password {}", String::from_utf8_lossy(password.text()));
        }
        text
    }
}

fn short(len: usize) -> u8 {
    u8::try_from(len).expect("a section is short")
}
