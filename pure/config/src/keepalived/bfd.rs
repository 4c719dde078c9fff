//! `bfd_instance` blocks.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::Family;
use mainstay_engine::BfdSession;
use mainstay_engine::bfd::SessionSettings;
use mainstay_engine::vrrp::{Name, Weight};

use super::keywords::Block;
use super::line::At;
use super::script::Tracked;
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{Weights, decimal_micros, ip, name, no_more, number, value, weight};
use super::words::Word;
use crate::fault::Faults;
use crate::{Code, Fault};

/// A session as written, and where its name stands.
#[derive(Debug)]
pub(super) struct BfdDraft {
    pub session: BfdSession,
    /// What it does where it is tracked and nobody says otherwise.
    pub weight: Weight,
    pub at: At,
}

/// The longest name, in bytes.
const NAME_MAX: usize = 31;
/// What keepalived takes where nothing is written.
const INTERVAL: Duration = Duration::from_millis(10);
const MULTIPLIER: u8 = 5;
/// The hop limit that keepalived sends over IPv6 where none is written; RFC 5881 §5 wants 255.
const KEEPALIVED_HOP_LIMIT: u8 = 64;
/// The least `idle_tx`, in microseconds.
const IDLE_MIN: u64 = 1_000_000;
/// The greatest of all intervals, in microseconds: what the wire holds, in whole milliseconds.
const INTERVAL_MAX: u64 = 4_294_967_000;

/// What a session may say of its weight.
const WEIGHTS: Weights = Weights { accepted: 253, kept: 253 };

/// Reads a `bfd_instance` block; none if it cannot stand.
pub(super) fn read(block: &Statement, faults: &mut Faults) -> Option<BfdDraft> {
    let name = name(block, faults)?;
    if name.text.len() > NAME_MAX {
        let message = format!("the name `{}` is longer than {NAME_MAX} bytes", name.text);
        let fault = Fault::error(Code::ValueBad, message).here(name.at, "left out");
        faults.add(fault.help("give it a shorter name, here and where it is tracked"));
        return None;
    }
    let mut found = Found::default();
    for statement in block.inner() {
        found.read(statement, faults);
    }
    found.complete(name, faults)
}

/// Says what an unweighted session does to whoever tracks it: when the peer dies, the watcher is unfit. That is
/// right for a gateway; another node of the same router would take this one down with it.
pub(super) fn surprise(
    tracked: &[Tracked],
    sessions: &[BfdDraft],
    peers: &[IpAddr],
    faults: &mut Faults,
) {
    for tracked in tracked {
        let is_it = |draft: &&BfdDraft| draft.session.name.as_str() == tracked.name.text;
        let Some(draft) = sessions.iter().find(is_it) else { continue };
        if tracked.weight.unwrap_or(draft.weight) != Weight::default() {
            continue;
        }
        let (name, remote) = (&tracked.name.text, draft.session.remote);
        let fault = if peers.contains(&remote) {
            let message = format!(
                "when {remote} dies, session `{name}` puts this node into FAULT, though it should take over from it"
            );
            let help = "take it out: peers are watched without it; or give it a `weight`";
            Fault::warning(Code::SessionUnweighted, message).help(help)
        } else {
            let message = format!("when {remote} dies, session `{name}` puts this node into FAULT");
            let help = "right for a gateway; if it is another node of this router, take it out: peers are watched without it";
            Fault::notice(Code::SessionUnweighted, message).help(help)
        };
        faults.add(fault.here(tracked.name.at, "without a weight"));
    }
}

#[derive(Default)]
struct Found {
    remote: Option<IpAddr>,
    local: Option<(IpAddr, At)>,
    min_rx: Option<Duration>,
    min_tx: Option<Duration>,
    idle_tx: Option<Duration>,
    multiplier: Option<u8>,
    passive: bool,
    /// `ttl` or `hoplimit`, whichever stands last.
    ttl: Option<u8>,
    /// −1 and 255: however far away.
    max_hops: Option<i64>,
    weight: Weight,
    /// It is refused, and that has been said.
    refused: bool,
}

impl Found {
    fn read(&mut self, statement: &Statement, faults: &mut Faults) {
        match statement.keyword() {
            "neighbor_ip" | "neighbour_ip" => {
                self.remote = address(statement, faults).map(|(ip, _)| ip).or(self.remote);
            }
            "source_ip" => self.local = address(statement, faults).or(self.local),
            "min_rx" => self.min_rx = milliseconds(statement, 1_000, faults).or(self.min_rx),
            "min_tx" => self.min_tx = milliseconds(statement, 1_000, faults).or(self.min_tx),
            "idle_tx" => self.idle_tx = milliseconds(statement, IDLE_MIN, faults).or(self.idle_tx),
            "multiplier" => self.multiplier = byte(statement, faults).or(self.multiplier),
            "passive" => {
                no_more(statement, 0, faults);
                self.passive = true;
            }
            "ttl" | "hoplimit" => self.ttl = byte(statement, faults).or(self.ttl),
            "max_hops" => self.max_hops = number(statement, -1..=255, faults).or(self.max_hops),
            "weight" => {
                if value(statement, faults).is_some()
                    && let Some((weight, taken)) = weight(statement.values(), WEIGHTS, faults)
                {
                    self.weight = weight;
                    no_more(statement, taken, faults);
                }
            }
            keyword => {
                self.refused |= keyword == "multihop";
                unhandled(Block::Bfd, statement, faults);
            }
        }
    }

    fn complete(self, name: &Word, faults: &mut Faults) -> Option<BfdDraft> {
        let spoken = format!("session `{}`", name.text);
        let Some(remote) = self.remote else {
            let message = format!("{spoken} has no peer, so it is left out");
            let fault = Fault::error(Code::ValueMissing, message).here(name.at, "");
            faults.add(fault.help("add `neighbor_ip ADDRESS`"));
            return None;
        };
        if self.refused || !self.is_of_one_family(remote, &spoken, faults) {
            return None;
        }
        let session = SessionSettings {
            desired_min_tx: self.min_tx.unwrap_or(INTERVAL),
            required_min_rx: self.min_rx.unwrap_or(INTERVAL),
            idle_tx: self.idle_tx.unwrap_or(SessionSettings::default().idle_tx),
            multiplier: self.multiplier.unwrap_or(MULTIPLIER),
            passive: self.passive,
            ttl: self.ttl.unwrap_or(255),
            ttl_min: self.ttl_min(Family::of(remote), &spoken, name.at, faults),
            ..SessionSettings::default()
        };
        let session = BfdSession {
            name: Name::new(&name.text),
            remote,
            local: self.local.map(|(local, _)| local),
            link: None,
            session,
        };
        Some(BfdDraft { session, weight: self.weight, at: name.at })
    }

    fn is_of_one_family(&self, remote: IpAddr, spoken: &str, faults: &mut Faults) -> bool {
        let Some((local, at)) = self.local else { return true };
        let same = Family::of(local) == Family::of(remote);
        if !same {
            let message =
                format!("{spoken}: {local} and {remote} are not of one family; it is left out");
            let fault = Fault::error(Code::PeersFamily, message).here(at, "");
            faults.add(fault.help("write a `source_ip` of the peer's family, or none"));
        }
        same
    }

    /// The least TTL of the peer's packets. Without `hoplimit`, keepalived sends and takes 64 over IPv6: we send
    /// the RFC's 255, which it takes too, and take what it sends.
    fn ttl_min(&self, family: Family, spoken: &str, at: At, faults: &mut Faults) -> u8 {
        let hops = match self.max_hops {
            Some(-1 | 255) => return 0,
            hops => u8::try_from(hops.unwrap_or(0)).expect("the range was checked"),
        };
        let sent = match (self.ttl, family) {
            (Some(ttl), _) => ttl,
            (None, Family::V4) => 255,
            (None, Family::V6) => {
                let message = format!(
                    "{spoken} takes packets with a hop limit of {KEEPALIVED_HOP_LIMIT}, as keepalived sends them; they may come from beyond the link"
                );
                let fault = Fault::notice(Code::HopLimitLow, message).here(at, "");
                faults.add(fault.help("write `hoplimit 255` at both ends"));
                KEEPALIVED_HOP_LIMIT
            }
        };
        sent.saturating_sub(hops)
    }
}

fn address(statement: &Statement, faults: &mut Faults) -> Option<(IpAddr, At)> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    ip(statement.keyword(), word, faults).map(|address| (address, word.at))
}

fn byte(statement: &Statement, faults: &mut Faults) -> Option<u8> {
    number(statement, 1..=255, faults).map(|n| u8::try_from(n).expect("the range was checked"))
}

/// Decimal milliseconds, of at least so many microseconds.
fn milliseconds(statement: &Statement, least: u64, faults: &mut Faults) -> Option<Duration> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    let keyword = statement.keyword();
    // A thousandth of the digits that stand for seconds: whole microseconds.
    let micros = decimal_micros(&word.text).map(|millionths| millionths / 1_000);
    let bounds = format!("from {} to {} milliseconds", least / 1_000, INTERVAL_MAX / 1_000);
    let (code, message) = match micros {
        Some(micros) if (least..=INTERVAL_MAX).contains(&micros) => {
            return Some(Duration::from_micros(micros));
        }
        Some(_) => {
            let message =
                format!("`{keyword}` is {bounds}, not {}; the line is left out", word.text);
            (Code::ValueRange, message)
        }
        None => (Code::ValueBad, format!("`{keyword}` takes milliseconds, not `{}`", word.text)),
    };
    let fault = Fault::error(code, message).here(word.at, "");
    faults.add(fault.help(format!("write a number {bounds}")));
    None
}
