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
    /// The reactor is silent of these sockets.
    silent: bool,
}

impl<S> Default for Places<S> {
    fn default() -> Places<S> {
        Places { opened: BTreeMap::new(), refused: BTreeMap::new(), silent: false }
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
                if !self.silent {
                    reactor.add(&socket, token)?;
                }
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

    /// Changes every socket that is open, and closes those that answer with nothing.
    pub(super) fn keep(&mut self, mut change: impl FnMut(Place, &mut S) -> Option<()>) {
        self.opened.retain(|place, (socket, _)| change(*place, socket).is_some());
    }

    /// Has the reactor tell of these sockets and of those that are opened later, or not.
    pub(super) fn attend(&mut self, reactor: &Reactor, attended: bool) -> io::Result<()> {
        if self.silent != attended {
            return Ok(());
        }
        self.silent = !attended;
        self.opened.values().try_for_each(|(socket, token)| match attended {
            true => reactor.add(socket, *token),
            false => reactor.remove(socket),
        })
    }

    /// Whether the reactor is silent of them.
    pub(super) fn are_silent(&self) -> bool {
        self.silent
    }

    /// The number of a socket, in the order of their places.
    pub(super) fn token(&self, at: usize) -> Option<Token> {
        self.opened.values().nth(at).map(|(_, token)| *token)
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

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use mainstay_linux::clock;
    use mainstay_linux::reactor::Ready;

    use super::*;

    /// Places of that many links, each with a word waiting in its socket.
    fn aim_at(places: &mut Places<UnixDatagram>, reactor: &Reactor, links: u32) {
        let name = |index: u32| format!("eth{index}").parse().expect("a name of a link");
        let wanted = (1..=links).map(|index| ((LinkIndex(index), Family::V4), name(index)));
        let mut tokens = Tokens::from(u32::try_from(places.opened.len()).expect("few"));
        let refused = places.aim_at(&wanted.collect(), &mut tokens, reactor, |_, _, _| {
            let (ours, theirs) = UnixDatagram::pair()?;
            theirs.send(b"a packet").map(|_| ours)
        });
        assert!(refused.is_empty(), "{refused:?}");
    }

    fn told_of(reactor: &mut Reactor) -> Vec<u32> {
        let soon = clock::now() + Duration::from_millis(20);
        let ready = reactor.wait(Some(soon)).expect("descriptors can be waited for");
        let mut tokens: Vec<u32> = ready
            .iter()
            .filter_map(|ready| match ready {
                Ready::Source(token) => Some(token.0),
                Ready::Deadline | Ready::Woken => None,
            })
            .collect();
        tokens.sort_unstable();
        tokens
    }

    #[test]
    fn the_reactor_is_silent_of_a_socket_that_is_opened_while_others_rest() {
        let mut reactor = Reactor::start().expect("descriptors are left");
        let mut places = Places::default();
        aim_at(&mut places, &reactor, 1);
        assert_eq!(told_of(&mut reactor), [0]);
        places.attend(&reactor, false).expect("it is there");
        aim_at(&mut places, &reactor, 2);
        assert!(told_of(&mut reactor).is_empty());
        places.attend(&reactor, true).expect("both can be waited for");
        assert_eq!(told_of(&mut reactor), [0, 1]);
    }
}
