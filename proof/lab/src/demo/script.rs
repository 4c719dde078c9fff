//! What the demo plays: the hosts, their file, and one event after the other.

use std::net::IpAddr;
use std::path::Path;

use crate::cluster::{Layout, Plug};

/// The hosts, in order of preference.
pub(super) const HOSTS: [&str; 3] = ["alder", "birch", "cedar"];

/// The address that they share.
pub(super) const ADDRESS: &str = "192.0.2.100";

/// Something that happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// The daemons of these hosts start.
    Start(&'static [usize]),
    /// The host's cable is pulled.
    Cut(usize),
    /// It is plugged in again.
    Mend(usize),
    /// The process that speaks VRRP is killed; its parent stays.
    KillSpeaker(usize),
    /// All processes of the daemon are killed.
    Kill(usize),
    /// The daemon is stopped properly.
    Stop(usize),
    /// The host gives the address away on purpose: mainstay is told to, keepalived is reloaded with a
    /// lower priority.
    Switch(usize),
    /// The host's service breaks, which a tracked script notices.
    Sicken(usize),
    /// The service is well again.
    Heal(usize),
}

/// An event of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What happens.
    pub deed: Deed,
    /// What it is called on the screen and in the picture.
    pub title: &'static str,
    /// The same for machines.
    pub name: &'static str,
    /// Who must hold the address in the end.
    pub holder: usize,
}

const fn event(deed: Deed, name: &'static str, title: &'static str, holder: usize) -> Event {
    Event { deed, title, name, holder }
}

/// The events, in order.
pub(super) const EVENTS: [Event; 12] = [
    event(Deed::Start(&[0, 1, 2]), "start", "all three start", 0),
    event(Deed::Cut(0), "host-cut", "alder's cable is pulled", 1),
    event(Deed::Mend(0), "host-back", "alder's cable is back", 0),
    event(Deed::KillSpeaker(0), "process-killed", "alder's VRRP process is killed (-9)", 0),
    event(Deed::Kill(0), "daemon-killed", "alder's whole daemon is killed (-9)", 1),
    event(Deed::Start(&[0]), "daemon-back", "alder's daemon starts again", 0),
    event(Deed::Sicken(0), "service-broken", "alder's service check fails", 1),
    event(Deed::Heal(0), "service-mended", "alder's service is well again", 0),
    event(Deed::Stop(0), "stopped", "alder is stopped properly", 1),
    event(Deed::Switch(1), "switch", "birch gives the address away", 2),
    event(Deed::Cut(2), "second-host-cut", "cedar's cable is pulled as well", 1),
    event(Deed::Start(&[0]), "return", "alder returns", 0),
];

impl Deed {
    /// The host that is gone from one moment to the next, without a word.
    pub(super) fn vanishes(self) -> Option<usize> {
        match self {
            Deed::Cut(host) | Deed::Kill(host) => Some(host),
            Deed::Start(_)
            | Deed::Mend(_)
            | Deed::KillSpeaker(_)
            | Deed::Stop(_)
            | Deed::Switch(_)
            | Deed::Sicken(_)
            | Deed::Heal(_) => None,
        }
    }
}

/// The virtual router.
pub(super) const ROUTER: &str = "website";

/// The hosts' priorities.
pub(super) const PRIORITIES: [u8; HOSTS.len()] = [250, 240, 230];

/// Less than any of them.
pub(super) const LOWEST: u8 = 100;

/// How quick the demo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tempo {
    /// One advertisement a second, as most people have it.
    Usual,
    /// VRRP version 3, ten advertisements a second.
    Fast,
}

/// The machines: three hosts and a client on one switch.
pub(super) fn layout() -> Vec<Layout> {
    let place = |(name, number): (&&str, u8)| {
        Layout::new(name, Plug::new("eth0", 0, &[&format!("192.0.2.{number}/24")]))
    };
    HOSTS.iter().chain(&["client"]).zip([11, 12, 13, 9]).map(place).collect()
}

/// A host's own address.
pub(super) fn own(host: usize) -> IpAddr {
    [[192, 0, 2, 11], [192, 0, 2, 12], [192, 0, 2, 13]][host].into()
}

/// A host's keepalived.conf; `well` is the file whose absence means that its service is broken.
pub(super) fn file(priority: u8, tempo: Tempo, well: &Path) -> String {
    let (version, interval, check) = match tempo {
        Tempo::Usual => ("", "1", "0.5"),
        Tempo::Fast => ("\n    version 3", "0.1", "0.1"),
    };
    format!(
        "vrrp_script service {{
    script \"/usr/bin/test -e {well}\"
    interval {check}
    weight -50
}}

vrrp_instance {ROUTER} {{
    interface eth0
    virtual_router_id 51{version}
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        {ADDRESS}/24
    }}
    track_script {{
        service
    }}
}}
",
        well = well.display()
    )
}
