//! `auth_hmac` of an instance: keys, which of them signs, what is believed.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_engine::vrrp::{Freshness, Hmac, HmacKey, HmacMode};

use super::keywords::Block;
use super::line::At;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{no_more, number, value, whole};
use super::words::Word;
use crate::fault::Faults;
use crate::limits::hmac_window;
use crate::{Code, Fault, Sources, secret};

/// An `auth_hmac` block as written.
#[derive(Debug)]
pub(super) struct HmacDraft {
    at: At,
    keys: Vec<KeyDraft>,
    active: Option<(u8, At)>,
    by_time: bool,
    window: Option<Duration>,
    mode: HmacMode,
}

#[derive(Debug)]
struct KeyDraft {
    id: u8,
    written: Word,
    /// What was read of it, if it is in a file.
    read: Option<Result<Vec<u8>, String>>,
}

/// Reads the block.
pub(super) fn read(block: &Statement, faults: &mut Faults) -> HmacDraft {
    let mut draft = HmacDraft {
        at: block.at(),
        keys: Vec::new(),
        active: None,
        by_time: true,
        window: None,
        mode: HmacMode::Enforce,
    };
    for statement in block.inner() {
        match statement.keyword() {
            "key" => draft.keys.extend(key(statement, faults)),
            "active_key" => {
                let id = number(statement, 1..=255, faults).map(byte);
                draft.active = id.map(|id| (id, statement.at())).or(draft.active);
            }
            "anti_replay" => {
                let words = [("time", true), ("monotonic", false)];
                draft.by_time = choice(statement, &words, faults).unwrap_or(draft.by_time);
            }
            "time_window" => {
                let seconds = number(statement, 1..=300, faults);
                let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
                draft.window = seconds.map(Duration::from_secs).or(draft.window);
            }
            "mode" => {
                let words = [
                    ("enforce", HmacMode::Enforce),
                    ("permissive", HmacMode::Permissive),
                    ("receive-only", HmacMode::ReceiveOnly),
                ];
                draft.mode = choice(statement, &words, faults).unwrap_or(draft.mode);
            }
            _ => unhandled(Block::Hmac, statement, faults),
        }
    }
    draft
}

/// `key ID VALUE`.
fn key(statement: &Statement, faults: &mut Faults) -> Option<KeyDraft> {
    let word = value(statement, faults)?;
    let id = byte(whole("key", word, 1..=255, faults)?);
    no_more(statement, 2, faults);
    match statement.values().get(1) {
        Some(written) => Some(KeyDraft { id, written: written.clone(), read: None }),
        None => {
            let fault = Fault::error(Code::ValueMissing, format!("key {id} has no value"));
            faults.add(fault.here(statement.at(), "").help(KEY_HELP));
            None
        }
    }
}

const KEY_HELP: &str =
    "write `key N hex:…` with 64 to 128 digits, `key N file:/path`, or 32 to 64 characters";

fn byte(number: i64) -> u8 {
    u8::try_from(number).expect("the range was checked")
}

fn choice<T: Copy>(statement: &Statement, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    let found = words.iter().find(|(text, _)| *text == word.text);
    if found.is_none() {
        let names: Vec<String> = words.iter().map(|(text, _)| format!("`{text}`")).collect();
        let message = format!("`{}` knows no `{}`", statement.keyword(), word.text);
        let fault = Fault::error(Code::ValueBad, message).here(word.at, "");
        faults.add(fault.help(format!("write one of {}", names.join(", "))));
    }
    found.map(|(_, value)| *value)
}

/// Reads the keys that are in files.
pub(super) fn read_files<'d>(
    drafts: impl Iterator<Item = &'d mut HmacDraft>,
    sources: &mut dyn Sources,
) {
    for key in drafts.flat_map(|draft| &mut draft.keys) {
        if let Some(path) = key.written.text.strip_prefix("file:") {
            key.read = Some(secret::of_file(path, sources));
        }
    }
}

impl HmacDraft {
    /// What it comes to; none if the router cannot show who it is, or would believe anybody.
    pub(super) fn settle(
        &self,
        spoken: &str,
        interval: Duration,
        faults: &mut Faults,
    ) -> Option<Hmac> {
        let mut keys = BTreeMap::new();
        for key in &self.keys {
            let read = key.read.clone();
            match read.unwrap_or_else(|| secret::bytes(&key.written.text)) {
                Ok(secret) => {
                    let file = key.written.text.strip_prefix("file:").map(str::to_owned);
                    keys.insert(key.id, HmacKey { secret, file });
                }
                Err(why) => {
                    let message = format!("key {} of {spoken} {why}; it is left out", key.id);
                    let fault = Fault::error(Code::HmacKey, message).here(key.written.at, "");
                    faults.add(fault.help(KEY_HELP));
                }
            }
        }
        let active_key = match (self.active, keys.keys().next()) {
            (Some((active, _)), _) if keys.contains_key(&active) => active,
            (None, Some(only)) if keys.len() == 1 => *only,
            (active, first) => {
                let what = match (active, first) {
                    (_, None) => "has no key to sign with",
                    (Some(_), Some(_)) => "signs with a key that it does not have",
                    (None, Some(_)) => "does not say which of its keys it signs with",
                };
                let at = active.map_or(self.at, |(_, at)| at);
                let message = format!("{spoken} {what}; it is left out");
                let fault = Fault::error(Code::HmacKey, message).here(at, "");
                faults.add(
                    fault.help("define the key with `key N …` and name it with `active_key N`"),
                );
                return None;
            }
        };
        let window = self.window.unwrap_or_else(|| hmac_window(interval));
        let freshness = if self.by_time { Freshness::Within(window) } else { Freshness::Growing };
        Some(Hmac { keys, active_key, freshness, mode: self.mode })
    }

    /// Where it stands.
    pub(super) fn at(&self) -> At {
        self.at
    }
}
