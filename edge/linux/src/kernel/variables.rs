//! System variables of links, set where they are otherwise.

use std::collections::BTreeMap;
use std::io;

use mainstay_base::LinkIndex;
use mainstay_plan::{Link, Refusal};

use crate::topology::{set_sysctl, sysctl};

/// A variable of one link: `net.ipv4.conf.LINK.arp_ignore`.
pub(super) fn of_link(family: &str, link: &str, name: &str) -> String {
    // In the name of a variable, a slash stands for a dot of a link's name.
    format!("net.{family}.conf.{}.{name}", link.replace('.', "/"))
}

/// The value of a variable, if there is such a one.
pub(super) fn read(name: &str) -> Option<String> {
    sysctl(name).ok()
}

/// Sets a variable unless it is so already.
pub(super) fn set(name: &str, value: &str) -> Result<(), Refusal> {
    if read(name).as_deref() == Some(value) {
        return Ok(());
    }
    match set_sysctl(name, value) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Refusal {
            errno: error.raw_os_error().unwrap_or(libc::EIO),
            message: format!("cannot set {name} to {value}: {error}"),
        }),
    }
}

const STRICTNESS: &str = "rp_filter";

/// The strictness against unexpected sources of everything, of links to come, or of one link.
fn strictness(of: &str) -> Option<u8> {
    read(&of_link("ipv4", of, STRICTNESS)).and_then(|text| text.parse().ok())
}

fn set_strictness(of: &str, value: u8) -> Result<(), Refusal> {
    set(&of_link("ipv4", of, STRICTNESS), &value.to_string())
}

/// Whose strictness is to be raised, and from what, if that of everything becomes a matter of each link.
///
/// Nothing comes from elsewhere on the loopback link.
pub(super) struct SourceCheck {
    all: u8,
    raised: Vec<(String, u8)>,
}

impl SourceCheck {
    /// What it would be at the moment; none where it is such a matter already.
    pub(super) fn of(links: &BTreeMap<LinkIndex, Link>) -> Option<SourceCheck> {
        let all = strictness("all").filter(|all| *all > 0)?;
        let links = links.values().filter(|link| !link.loopback).map(|link| link.name.as_str());
        let lower =
            |name: &str| Some((name.to_owned(), strictness(name).filter(|own| *own < all)?));
        let raised = std::iter::once("default").chain(links).filter_map(lower).collect();
        Some(SourceCheck { all, raised })
    }

    /// Lets strictness be a matter of each link: the greater of this one and that of a link counts, and a virtual
    /// link has to take packets whose answers leave by its base.
    pub(super) fn spread(&self) -> Result<(), Refusal> {
        self.raised.iter().try_for_each(|(name, _)| set_strictness(name, self.all))?;
        set_strictness("all", 0)
    }

    /// In words of a mark: `all=1 default=0 eth0=0`, as many as there is room for. Links that are left out stay as
    /// strict as they are with that of everything.
    pub(super) fn words(&self, room: usize) -> String {
        let mut words = format!(" {ALL}{}", self.all);
        for (name, own) in &self.raised {
            let word = format!(" {name}={own}");
            if words.len() + word.len() <= room {
                words.push_str(&word);
            }
        }
        words
    }
}

/// Where the words of a check begin in a mark.
const ALL: &str = "all=";

/// The words of a check in a mark, if it has them.
pub(super) fn source_check_in(mark: &str) -> Option<&str> {
    mark.find(&format!(" {ALL}")).and_then(|at| mark.get(at..))
}

/// Puts strictness back to what the words say, as far as nobody has changed it since.
pub(super) fn restore_source_check(words: &str) -> Result<(), Refusal> {
    let pair = |word: &'_ str| {
        let (name, value) = word.rsplit_once('=')?;
        Some((name.to_owned(), value.parse::<u8>().ok()?))
    };
    let mut pairs = words.split_whitespace().filter_map(pair);
    let Some((_, all)) = pairs.next().filter(|_| strictness("all") == Some(0)) else {
        return Ok(());
    };
    // At no moment is anything less strict than before.
    set_strictness("all", all)?;
    let unchanged = pairs.filter(|(name, _)| strictness(name) == Some(all));
    unchanged.into_iter().try_for_each(|(name, own)| set_strictness(&name, own))
}
