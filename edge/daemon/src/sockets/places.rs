//! One socket for each link and family: opened where it is needed, closed where it is not.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;

use mainstay_base::{Family, LinkIndex, LinkName};
use mainstay_linux::reactor::{Reactor, Token};

/// Where a socket is needed.
pub(super) type Place = (LinkIndex, Family);

/// The sockets of one kind.
#[derive(Debug)]
pub(super) struct Places<S> {
    opened: BTreeMap<Place, (S, Token)>,
    /// What has been said of the places where none could be opened.
    refused: BTreeMap<Place, String>,
}

impl<S> Default for Places<S> {
    fn default() -> Places<S> {
        Places { opened: BTreeMap::new(), refused: BTreeMap::new() }
    }
}

impl<S: AsFd> Places<S> {
    /// Opens what is needed and not there, closes the rest; what was refused for another reason than last time
    /// comes back.
    pub(super) fn aim_at(
        &mut self,
        wanted: &BTreeMap<Place, LinkName>,
        tokens: &mut Tokens,
        reactor: &Reactor,
        open: impl Fn(LinkIndex, &LinkName, Family) -> io::Result<S>,
    ) -> Vec<(LinkName, io::Error)> {
        self.opened.retain(|place, _| wanted.contains_key(place));
        self.refused.retain(|place, _| wanted.contains_key(place));
        let mut fresh = Vec::new();
        for (&place, name) in wanted {
            if self.opened.contains_key(&place) {
                continue;
            }
            let token = tokens.next();
            let opened = open(place.0, name, place.1).and_then(|socket| {
                reactor.add(&socket, token)?;
                Ok(socket)
            });
            match opened {
                Ok(socket) => {
                    self.refused.remove(&place);
                    self.opened.insert(place, (socket, token));
                }
                Err(error) => {
                    let before = self.refused.insert(place, error.to_string());
                    if before != Some(error.to_string()) {
                        fresh.push((name.clone(), error));
                    }
                }
            }
        }
        fresh
    }

    /// Whether something that is needed could not be opened.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.refused.is_empty()
    }

    /// The socket of a place.
    pub(super) fn at(&self, place: Place) -> Option<&S> {
        self.opened.get(&place).map(|(socket, _)| socket)
    }

    /// The socket of a token.
    pub(super) fn of(&self, token: Token) -> Option<&S> {
        self.opened.values().find_map(|(socket, its)| (*its == token).then_some(socket))
    }
}

/// Numbers for sockets, none given twice.
#[derive(Debug)]
pub(super) struct Tokens(u32);

impl Tokens {
    /// Numbers from this one on.
    pub(super) fn from(first: u32) -> Tokens {
        Tokens(first)
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Token {
        let token = Token(self.0);
        self.0 = self.0.wrapping_add(1);
        token
    }
}
