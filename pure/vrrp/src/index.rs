//! Who is found where: routers by what a packet says, by address, by group.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mainstay_base::LinkIndex;
use mainstay_plan::AddressKey;

use crate::group::Group;
use crate::links::{Links, Named};
use crate::packet::Place;
use crate::router::Router;
use crate::settings::{Authentication, Fixed};

/// The ways to a router's number that need no search among all of them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Routers by link, family and number, as a packet says.
    pub by_wire: BTreeMap<Place, usize>,
    /// Router and slot of each address; two routers may list one.
    pub by_address: BTreeMap<AddressKey, Vec<(usize, usize)>>,
    /// Router and slot of each address, by the link where neighbours find it.
    pub by_place: BTreeMap<(LinkIndex, IpAddr), Vec<(usize, usize)>>,
    /// The group of each router.
    pub group_of: Vec<Option<usize>>,
    /// The addresses that settings name.
    pub named: Named,
    /// Whether a router signs what it says.
    pub any_signs: bool,
}

impl Index {
    /// The index of these routers, none of which listens yet.
    pub(crate) fn of(routers: &[Router], groups: &[Group], fixed: &Fixed) -> Index {
        let mut index = Index { group_of: vec![None; routers.len()], ..Index::default() };
        for (number, group) in groups.iter().enumerate() {
            for member in &group.members {
                index.group_of[*member] = Some(number);
            }
        }
        for (number, router) in routers.iter().enumerate() {
            for (slot, entry) in router.slots().iter().enumerate() {
                let key = entry.key().clone();
                index.named.virtuals.insert((key.link.clone(), key.address.ip()));
                index.by_address.entry(key).or_default().push((number, slot));
            }
        }
        let signs =
            |router: &Router| matches!(router.settings().authentication, Authentication::Hmac(_));
        index.any_signs = routers.iter().any(signs);
        let fixed = fixed.addresses.iter().map(|address| &address.key);
        index.named.fixed.extend(fixed.map(|key| (key.link.clone(), key.address.ip())));
        index
    }

    /// Finds packets on the links that are there; of two routers with one number the first hears.
    pub(crate) fn listen(&mut self, routers: &[Router], links: &Links) {
        self.by_wire.clear();
        self.by_place.clear();
        for (number, router) in routers.iter().enumerate() {
            let settings = router.settings();
            if let Some(link) = links.of(settings.advert_link()) {
                let place = (link.index, settings.family, settings.vrid.get());
                self.by_wire.entry(place).or_insert(number);
            }
            for (slot, entry) in router.slots().iter().enumerate() {
                let key = entry.key();
                if let Some(link) = links.of(&key.link) {
                    let place = (link.index, key.address.ip());
                    self.by_place.entry(place).or_default().push((number, slot));
                }
            }
        }
    }
}
