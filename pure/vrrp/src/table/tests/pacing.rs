//! Links that keep a distance between announcements, as routers use them.

use std::time::Duration;

use mainstay_base::{Family, Instant, LinkIndex, MacAddress, Machine};
use mainstay_plan::{Actual, Change, PresentAddress, VirtualKind, VirtualLink};

use crate::bench::{Bench, LINK, OTHER, name, on, router, settings};
use crate::settings::*;
use crate::{Input, Table, Transmit};

fn paced(links: &[&str]) -> Settings {
    let mut asked = router(51, "10.0.0.9/24");
    asked.excluded = vec![on("eth1", "10.1.0.9/24")];
    asked.announce.repeat = 1;
    asked.announce.delay = Duration::ZERO;
    let pacing = Pacing {
        links: links.iter().map(|link| name(link)).collect(),
        arp_interval: Some(Duration::from_millis(20)),
        na_interval: None,
    };
    Settings { pacing: vec![pacing], ..settings(vec![asked]) }
}

fn frames(bench: &Bench) -> Vec<LinkIndex> {
    let frame = |transmit: &Transmit| match transmit {
        Transmit::Frame { link, .. } => Some(*link),
        Transmit::Advert { .. } => None,
    };
    bench.sent.iter().filter_map(frame).collect()
}

#[test]
fn two_links_of_one_switch_take_turns() {
    let mut bench = Bench::start(paced(&["eth0", "eth1"]));
    bench.pass_ms(3_610);
    assert_eq!(frames(&bench), [LINK]);
    bench.pass_ms(60);
    assert_eq!(frames(&bench), [LINK, LINK, OTHER, OTHER]);
}

#[test]
fn a_link_alone_does_not_hold_another_up() {
    let mut bench = Bench::start(paced(&["eth1"]));
    bench.pass_ms(3_610);
    assert_eq!(frames(&bench), [LINK, LINK, OTHER]);
    bench.reload(&Settings { pacing: Vec::new(), ..paced(&[]) });
    bench.pass_ms(100);
    assert_eq!(frames(&bench).len(), 4, "what waited goes on");
}

#[test]
fn a_virtual_link_is_paced_with_the_one_beneath_it() {
    let mut asked = paced(&["eth0"]);
    let mac = MacAddress([0, 0, 0x5e, 0, 1, 51]);
    let made =
        VirtualLink { base: name("eth0"), kind: VirtualKind::OwnMac(mac), family: Family::V4 };
    asked.routers[0].kernel.virtual_links.made.insert(name("eth1"), made);
    // The kernel of the bench makes no links, so that eth1 stands for the one that was made.
    let bench = Bench::start(paced(&[]));
    let (mut actual, mut table) = (bench.actual.clone(), Table::start(&asked, Instant::ZERO));
    let whole = Change::Whole(Box::new(actual.clone()));
    let tell = |table: &mut Table, change: &Change, actual: &Actual, now| {
        assert_eq!(table.handle_input(Input::Kernel { change, actual }, now), Ok(()));
    };
    tell(&mut table, &whole, &actual, Instant::ZERO);
    let now = Instant::ZERO + Duration::from_secs(4);
    table.handle_timeout(now);
    for (link, address) in [(LINK, "10.0.0.9/24"), (OTHER, "10.1.0.9/24")] {
        let address = address.parse().expect("an address");
        let change = Change::Address { link, address, present: PresentAddress::default() };
        actual.apply(&change);
        tell(&mut table, &change, &actual, now);
    }
    let sent = std::iter::from_fn(|| table.poll_transmit());
    let frames = sent.filter(|transmit| matches!(transmit, Transmit::Frame { .. })).count();
    assert_eq!(frames, 1, "eth1 stands on eth0");
}
