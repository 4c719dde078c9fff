//! The sockets that hear who answers for virtual addresses and those of peers.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use mainstay_base::Family;
use mainstay_engine::Engine;
use mainstay_linux::neighbours::NeighbourSocket;
use mainstay_linux::reactor::{Reactor, Token};

use super::places::Tokens;

/// The sockets, and their tokens.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    opened: Vec<(NeighbourSocket, Token)>,
}

impl Listeners {
    /// Hears of the addresses of all routers and of all peers from here on.
    pub(super) fn aim_at(
        &mut self,
        engine: &Engine,
        tokens: &mut Tokens,
        reactor: &Reactor,
    ) -> io::Result<()> {
        let addresses = listened_for(engine);
        let needed = |family| addresses.iter().any(|address| Family::of(*address) == family);
        self.opened.retain(|(socket, _)| needed(socket.family()));
        for (socket, _) in &mut self.opened {
            socket.aim_at(&addresses)?;
        }
        for family in [Family::V4, Family::V6] {
            if needed(family) && !self.opened.iter().any(|(socket, _)| socket.family() == family) {
                let socket = NeighbourSocket::open(family, &addresses)?;
                let token = tokens.next();
                reactor.add(&socket, token)?;
                self.opened.push((socket, token));
            }
        }
        Ok(())
    }

    /// The socket of a token.
    pub(super) fn of(&self, token: Token) -> Option<&NeighbourSocket> {
        self.opened.iter().find_map(|(socket, its)| (*its == token).then_some(socket))
    }
}

fn listened_for(engine: &Engine) -> BTreeSet<IpAddr> {
    let routers = engine.settings().vrrp.routers.iter();
    let slots = routers.flat_map(|router| router.addresses.iter().chain(&router.excluded));
    slots.map(|address| address.key.address.ip()).chain(engine.peers()).collect()
}
