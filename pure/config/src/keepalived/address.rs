//! Address entries: `ADDR[/LEN] [dev IF] [brd A|+|-] [scope S] [label L] …`.

use std::net::{IpAddr, Ipv4Addr};

use mainstay_base::{Family, InterfaceAddress, LinkName};
use mainstay_engine::vrrp::VirtualAddress;
use mainstay_plan::{AddressKey, AddressOptions, Lifetime, Scope};

use super::line::At;
use super::tree::Statement;
use super::values::{link, undefined};
use super::words::Word;
use crate::fault::Faults;
use crate::limits::usual_lifetime;
use crate::suggest::nearest;
use crate::{Code, Fault};

/// An address entry.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub address: InterfaceAddress,
    pub link: Option<LinkName>,
    pub options: AddressOptions,
    pub track: bool,
    /// `use_vmac`.
    pub virtual_mac: bool,
    pub at: At,
}

/// All options of an entry, for suggestions.
const OPTIONS: [&str; 15] = [
    "brd",
    "broadcast",
    "dev",
    "scope",
    "label",
    "peer",
    "home",
    "-nodad",
    "mngtmpaddr",
    "noprefixroute",
    "autojoin",
    "no_track",
    "preferred_lft",
    "use_vmac",
    "track_group",
];

/// Reads an entry; none if it cannot stand.
pub(super) fn entry(statement: &Statement, faults: &mut Faults) -> Option<Entry> {
    read(statement, false, faults)
}

/// Reads an entry that is static, and may be of a track group.
pub(super) fn fixed_entry(statement: &Statement, faults: &mut Faults) -> Option<Entry> {
    read(statement, true, faults)
}

/// The address before something that is no length of a prefix: with the digits that it begins with, as keepalived
/// takes it, or by itself. What begins with no digit is 0 to keepalived, a route to everywhere: that is not taken.
fn with_odd_length(word: &Word, faults: &mut Faults) -> Option<InterfaceAddress> {
    let (ip, length) = word.text.split_once('/')?;
    let digits = length.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
    let alone: InterfaceAddress = ip.parse().ok()?;
    let address = format!("{ip}/{digits}").parse().unwrap_or(alone);
    let message = format!("`{length}` is no length of a prefix; {address} is taken");
    let fault = Fault::error(Code::AddressBad, message).here(word.at, "");
    faults.add(fault.help("write `ADDRESS/LENGTH`, such as `192.0.2.1/24`"));
    Some(address)
}

fn read(statement: &Statement, fixed: bool, faults: &mut Faults) -> Option<Entry> {
    let first = statement.words.first()?;
    let (bare, written) = match first.text.as_str() {
        "default" => (None, true),
        text => (text.parse::<InterfaceAddress>().ok(), text.contains('/')),
    };
    let Some(address) = bare.or_else(|| with_odd_length(first, faults)) else {
        let message = format!("`{}` is no address", first.text);
        let fault = Fault::error(Code::AddressBad, message).here(first.at, "");
        let help = undefined(&first.text).unwrap_or_else(|| {
            "write an address with its prefix length, such as `192.0.2.1/24`".to_owned()
        });
        faults.add(fault.help(help));
        return None;
    };
    let mut entry = Entry {
        address,
        link: None,
        options: AddressOptions { preferred: usual_lifetime(address), ..AddressOptions::default() },
        track: true,
        virtual_mac: false,
        at: first.at,
    };
    let mut options = Options { words: statement.values().iter(), faults, written, fixed };
    while let Some(word) = options.words.next() {
        if !options.one(&mut entry, word) {
            return None;
        }
    }
    Some(entry)
}

/// An entry as an address that moves; on the router's own link unless it says otherwise.
pub(super) fn virtual_address(entry: Entry, own: &LinkName) -> VirtualAddress {
    let link = entry.link.unwrap_or_else(|| own.clone());
    VirtualAddress {
        key: AddressKey { link, address: entry.options.held_as(entry.address) },
        options: entry.options,
        track: entry.track,
    }
}

struct Options<'s, 'f> {
    words: std::slice::Iter<'s, Word>,
    faults: &'f mut Faults,
    /// Whether the prefix length was written.
    written: bool,
    /// Whether it is static.
    fixed: bool,
}

impl Options<'_, '_> {
    /// Takes one option in; whether the entry can still stand.
    fn one(&mut self, entry: &mut Entry, word: &Word) -> bool {
        match word.text.as_str() {
            "dev" if entry.link.is_some() => return self.twice(word),
            "dev" => match self.argument(word).map(|name| link(&name, self.faults)) {
                Some(Some(link)) => entry.link = Some(link),
                Some(None) | None => return false,
            },
            "brd" | "broadcast" => return self.broadcast(entry, word),
            "scope" => return self.scope(entry, word),
            "label" => return self.label(entry, word),
            "peer" => return self.peer(entry, word),
            "preferred_lft" => return self.lifetime(entry, word),
            "home" => entry.options.home = self.only_v6(entry, word),
            "-nodad" => entry.options.detect_duplicates = self.only_v6(entry, word),
            "mngtmpaddr" => entry.options.manage_temporary = self.only_v6(entry, word),
            "noprefixroute" => entry.options.no_prefix_route = true,
            "autojoin" => entry.options.autojoin = true,
            "no_track" => entry.track = false,
            "use_vmac" => entry.virtual_mac = true,
            "track_group" => {
                self.words.next();
                if self.fixed {
                    return true;
                }
                self.without_effect(word, "it has an effect on static addresses only");
            }
            other => {
                let message = format!("`{other}` is no option of an address; it is left out");
                let fault = Fault::error(Code::AddressBad, message).here(word.at, "");
                self.faults.add(match nearest(other, OPTIONS.into_iter()) {
                    Some(guess) => fault.help(format!("did you mean `{guess}`?")),
                    None => fault.help("the options are dev, brd, scope, label, peer, home, -nodad, mngtmpaddr, noprefixroute, autojoin, no_track, preferred_lft"),
                });
            }
        }
        true
    }

    fn argument(&mut self, option: &Word) -> Option<Word> {
        let word = self.words.next().cloned();
        if word.is_none() {
            let message = format!("`{}` needs a value; the address is left out", option.text);
            self.faults.add(
                Fault::error(Code::ValueMissing, message)
                    .here(option.at, "")
                    .help("write the value after it"),
            );
        }
        word
    }

    fn bad(&mut self, word: &Word, expected: &str) -> bool {
        let message = format!("expected {expected}, not `{}`; the address is left out", word.text);
        let fault = Fault::error(Code::ValueBad, message).here(word.at, "");
        self.faults.add(fault.help(format!("write {expected}")));
        false
    }

    /// Says that an option alone is left out; the entry stands.
    fn left_out(&mut self, word: &Word, expected: &str) -> bool {
        let message = format!("expected {expected}, not `{}`; the option is left out", word.text);
        let fault = Fault::warning(Code::ValueBad, message).here(word.at, "");
        self.faults.add(fault.help(format!("write {expected}")));
        true
    }

    fn twice(&mut self, option: &Word) -> bool {
        let message = format!("`{}` is there already; the address is left out", option.text);
        let fault = Fault::error(Code::AddressBad, message).here(option.at, "");
        self.faults.add(fault.help("remove one of the two"));
        false
    }

    fn without_effect(&mut self, word: &Word, why: &str) {
        let message = format!("`{}` has no effect: {why}", word.text);
        self.faults
            .add(Fault::warning(Code::AddressOption, message).here(word.at, "").help("remove it"));
    }

    fn only_v6(&mut self, entry: &Entry, word: &Word) -> bool {
        let v6 = entry.address.family() == Family::V6;
        if !v6 {
            self.without_effect(word, "it is for IPv6");
        }
        v6
    }

    fn broadcast(&mut self, entry: &mut Entry, option: &Word) -> bool {
        let Some(word) = self.argument(option) else { return false };
        let IpAddr::V4(ip) = entry.address.ip() else {
            let message = "IPv6 has no broadcast; the address is left out";
            let fault = Fault::error(Code::AddressBad, message).here(option.at, "");
            self.faults.add(fault.help(format!("remove `{}` and what follows it", option.text)));
            return false;
        };
        let host_bits = u32::MAX.checked_shr(u32::from(entry.address.prefix_len())).unwrap_or(0);
        let computable = self.written && host_bits > 1;
        entry.options.broadcast = match word.text.as_str() {
            "-" if computable => Some(Ipv4Addr::from(u32::from(ip) & !host_bits).into()),
            "+" if computable => Some(Ipv4Addr::from(u32::from(ip) | host_bits).into()),
            "+" | "-" => {
                self.without_effect(option, "it needs a prefix length, of 30 at most");
                None
            }
            text => match text.parse::<Ipv4Addr>() {
                Ok(broadcast) => Some(broadcast.into()),
                Err(_) => return self.bad(&word, "an IPv4 address, `+` or `-`"),
            },
        };
        true
    }

    fn scope(&mut self, entry: &mut Entry, option: &Word) -> bool {
        let Some(word) = self.argument(option) else { return false };
        let scope = match word.text.as_str() {
            "global" => Scope::Global,
            "site" => Scope::Site,
            "link" => Scope::Link,
            "host" => Scope::Host,
            "nowhere" => Scope::Other(255),
            text => match text.parse() {
                Ok(0) => Scope::Global,
                Ok(200) => Scope::Site,
                Ok(253) => Scope::Link,
                Ok(254) => Scope::Host,
                Ok(number) => Scope::Other(number),
                Err(_) => {
                    return self.left_out(&word, "global, site, link, host or a number to 255");
                }
            },
        };
        match entry.address.family() {
            Family::V4 => entry.options.scope = scope,
            Family::V6 => {
                self.without_effect(option, "the kernel chooses the scope of an IPv6 address")
            }
        }
        true
    }

    fn label(&mut self, entry: &mut Entry, option: &Word) -> bool {
        let Some(word) = self.argument(option) else { return false };
        if entry.address.family() == Family::V6 {
            self.without_effect(option, "IPv6 addresses have no label");
        } else if word.text.is_empty() {
            self.without_effect(option, "the label is empty");
        } else if word.text.len() > 15 {
            return self.bad(&word, "a label of at most 15 bytes");
        } else {
            entry.options.label = Some(word.text.as_str().into());
        }
        true
    }

    fn peer(&mut self, entry: &mut Entry, option: &Word) -> bool {
        let Some(word) = self.argument(option) else { return false };
        let peer = word.text.parse::<IpAddr>().ok();
        match peer.filter(|peer| Family::of(*peer) == entry.address.family()) {
            Some(_) => {
                entry.options.peer = word.text.parse().ok();
                true
            }
            None => self.left_out(&word, "an address of the same family, without a prefix length"),
        }
    }

    fn lifetime(&mut self, entry: &mut Entry, option: &Word) -> bool {
        let Some(word) = self.argument(option) else { return false };
        entry.options.preferred = match word.text.as_str() {
            "forever" => Lifetime::Forever,
            text => match text.parse() {
                Ok(u32::MAX) => Lifetime::Forever,
                Ok(seconds) => Lifetime::Seconds(seconds),
                Err(_) => return self.left_out(&word, "seconds or `forever`"),
            },
        };
        true
    }
}
