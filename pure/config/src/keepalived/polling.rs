//! `linkbeat_use_polling` and `linkbeat_interfaces`: links whose carrier is asked for.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_base::{CarrierSource, LinkName};
use mainstay_engine::vrrp::{self, Name, RouterSettings};

use super::tree::Statement;
use super::values::{link, no_more};
use crate::fault::Faults;
use crate::{Code, Fault};

/// Which links are asked.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// Those that are named.
    links: BTreeMap<LinkName, CarrierSource>,
    /// Every link that counts for anybody.
    all: bool,
    /// Instances that want it for their own link.
    pub own_links: BTreeSet<Name>,
}

impl Polling {
    /// `linkbeat_use_polling`, at the top.
    pub(super) fn read_all(&mut self, statement: &Statement, faults: &mut Faults) {
        no_more(statement, 0, faults);
        self.all = true;
    }

    /// `linkbeat_interfaces`: a link in each line, and how it is asked first.
    pub(super) fn read_links(&mut self, block: &Statement, faults: &mut Faults) {
        for statement in block.inner() {
            let Some(name) = statement.words.first() else { continue };
            let Some(link) = link(name, faults) else { continue };
            no_more(statement, 1, faults);
            let word = statement.values().first();
            let source = match word.map(|word| word.text.as_str()) {
                None | Some("MII") => CarrierSource::Mii,
                Some("ETHTOOL") => CarrierSource::Ethtool,
                Some("IOCTL") => CarrierSource::Flags,
                Some(other) => {
                    let message = format!("`{other}` is no way to ask a link for its carrier");
                    let at = word.expect("it was just read").at;
                    let fault = Fault::error(Code::ValueBad, message).here(at, "");
                    faults.add(fault.help("write `MII`, `ETHTOOL`, `IOCTL` or nothing"));
                    CarrierSource::Mii
                }
            };
            self.links.insert(link, source);
        }
    }

    /// The links that are asked, once it is known which ones count for anybody.
    pub(super) fn settle(self, settings: &vrrp::Settings) -> BTreeMap<LinkName, CarrierSource> {
        let Polling { mut links, all, own_links } = self;
        let own = settings.routers.iter().filter(|router| own_links.contains(&router.name));
        let mut others: Vec<&LinkName> = own.map(|router| &router.link).collect();
        if all {
            others.extend(settings.routers.iter().flat_map(counting));
            let groups = settings.groups.iter().flat_map(|group| &group.track_links);
            others.extend(groups.map(|tracked| &tracked.link));
        }
        for link in others {
            links.entry(link.clone()).or_default();
        }
        links
    }
}

/// The links that count for a router.
fn counting(router: &RouterSettings) -> impl Iterator<Item = &LinkName> {
    let tracked = router.track_links.iter().map(|tracked| &tracked.link);
    let addresses = router.addresses.iter().map(|address| &address.key.link);
    std::iter::once(&router.link).chain(tracked).chain(addresses)
}
