//! The mirror and its changes, in namespaces of the tests' own, with iproute2 as the oracle.

mod planning;
mod putting;
mod routing;
mod seeing;

use std::time::{Duration, Instant};

use mainstay_base::LinkName;
use mainstay_plan::{Actual, AddressKey, AddressOptions};

use super::*;
use crate::netns::Namespace;
use crate::testing::{Pair, address};

/// A kernel opened in a namespace and read, with the mirror that its reader keeps.
struct Watched {
    kernel: Kernel,
    mirror: Actual,
    /// A socket of its own for fresh readings.
    fresh: Kernel,
}

impl Watched {
    fn open(namespace: &Namespace) -> Watched {
        let open = || (Kernel::open().expect("opens"), Kernel::open().expect("opens"));
        let (kernel, fresh) = namespace.run(open).expect("enterable");
        Watched::of(kernel, fresh)
    }

    fn of(mut kernel: Kernel, fresh: Kernel) -> Watched {
        let mirror = kernel.read_whole().expect("readable");
        Watched { kernel, mirror, fresh }
    }

    /// With room for only so many bytes of unread changes.
    fn with_buffer(namespace: &Namespace, bytes: i32) -> Watched {
        let small = || Kernel::on(Channel::with_buffer(&GROUPS, bytes).expect("opens"));
        let open = || (small().expect("opens"), Kernel::open().expect("opens"));
        let (kernel, fresh) = namespace.run(open).expect("enterable");
        Watched::of(kernel, fresh)
    }

    fn index(&self, name: &str) -> LinkIndex {
        let name: LinkName = name.parse().expect("a link name");
        self.mirror.link_named(&name).expect("the link is there").index
    }

    fn apply(&mut self, steps: &[Step]) -> Vec<News> {
        let mut news = self.kernel.apply(steps);
        self.await_use(&mut news);
        self.follow(&news);
        news
    }

    /// IPv6 addresses are in use a moment after the kernel said yes to them.
    fn await_use(&mut self, news: &mut Vec<News>) {
        let limit = Instant::now() + Duration::from_secs(5);
        while !self.kernel.awaited.is_empty() {
            let left = limit.saturating_duration_since(Instant::now());
            assert!(self.kernel.channel.wait(left).expect("pollable"), "it did not come into use");
            news.extend(self.kernel.drain().expect("the socket works"));
        }
    }

    fn follow(&mut self, news: &[News]) {
        for one in news {
            if let News::Changed(change) = one {
                self.mirror.apply(change);
            }
        }
    }

    /// Drains until a change satisfies `wanted`, and gives that one.
    fn until(&mut self, wanted: impl Fn(&Change) -> bool) -> Change {
        let limit = Instant::now() + Duration::from_secs(5);
        loop {
            let news = self.kernel.drain().expect("the socket works");
            self.follow(&news);
            let changes = news.into_iter().filter_map(|news| match news {
                News::Changed(change) => Some(change),
                News::Applied(_) | News::Refused(..) => None,
            });
            if let Some(change) = changes.into_iter().find(&wanted) {
                return change;
            }
            let left = limit.saturating_duration_since(Instant::now());
            assert!(self.kernel.channel.wait(left).expect("pollable"), "the change did not come");
        }
    }

    /// What the follower holds comes to be what a fresh reading gives. IPv6 addresses are in the
    /// kernel a moment before it tells of them.
    fn is_faithful(&mut self) {
        let limit = Instant::now() + Duration::from_secs(5);
        loop {
            let told = self.kernel.drain().expect("the socket works");
            self.follow(&told);
            let actual = self.fresh.read_whole().expect("readable");
            if self.mirror == actual {
                return;
            }
            let left = limit.saturating_duration_since(Instant::now());
            let more = self.kernel.channel.wait(left).expect("pollable");
            assert!(more, "{}", differences(&self.mirror, &actual));
        }
    }
}

fn differences(told: &Actual, actual: &Actual) -> String {
    let lines = |actual: &Actual| -> BTreeSet<String> {
        let links = actual.links.iter().map(|entry| format!("{entry:?}"));
        links.chain(actual.addresses.iter().map(|entry| format!("{entry:?}"))).collect()
    };
    let (told, actual) = (lines(told), lines(actual));
    let only: Vec<&String> = told.symmetric_difference(&actual).collect();
    format!("only told or only there: {only:#?}")
}

/// Addresses that others put there: more changes than a small buffer holds.
fn add_many(pair: &mut Pair) {
    for n in 1..200 {
        let ip = address(&format!("10.1.0.{n}/24"));
        pair.left_links.add_address("left", ip).expect("added");
    }
}

fn key(link: &str, ip: &str) -> AddressKey {
    AddressKey { link: link.parse().expect("a link name"), address: address(ip) }
}

fn add(link: LinkIndex, key: AddressKey) -> Step {
    Step::AddAddress { link, key, options: AddressOptions::default() }
}

fn remove(link: LinkIndex, key: AddressKey) -> Step {
    Step::RemoveAddress { link, key }
}

/// The news in short: `+` there, `-` gone, `ok`, or the refusal's words.
fn said(news: &[News]) -> Vec<String> {
    news.iter()
        .map(|news| match news {
            News::Changed(Change::Address { address, .. }) => format!("+{address}"),
            News::Changed(Change::AddressGone { address, by_us, .. }) => {
                format!("-{address}{}", if *by_us { " by us" } else { "" })
            }
            News::Changed(other) => format!("{other:?}"),
            News::Applied(step) => format!("ok {step}"),
            News::Refused(step, refusal) => format!("{step}: {}", refusal.message),
        })
        .collect()
}
