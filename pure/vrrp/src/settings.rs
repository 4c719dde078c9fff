//! What the operator asked for, checked: virtual routers, sync groups, tracked scripts.
//!
//! Every value here is legal; whatever had to be rounded, cleared or refused was so in `config`,
//! which said so to the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use mainstay_base::{Family, LinkName};
use mainstay_plan::{AddressKey, AddressOptions, Route, RouteKey, Rule, VirtualLink};

pub use crate::authentication::{Authentication, Freshness, Hmac, HmacKey, HmacMode, Password};
use crate::debounce::LinkDelay;
use crate::gauge::{TrackGauge, TrackedGauge};
pub use crate::name::Name;
pub use crate::weight::Weight;

/// All of the VRRP part of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The virtual routers, in the order of the file; names are unique.
    pub routers: Vec<RouterSettings>,
    /// The sync groups; a router is in one at most.
    pub groups: Vec<GroupSettings>,
    /// The scripts whose verdicts are tracked; names are unique.
    pub scripts: Vec<TrackedScript>,
    /// The gauges that are tracked; each is there once.
    pub gauges: Vec<TrackedGauge>,
    /// Nobody advertises or becomes Active for so long after the start; Backups begin to wait for silence then.
    pub startup_delay: Duration,
    /// Nor for so long after the origin of all [`Instant`](mainstay_base::Instant)s, which is the machine's boot.
    pub delay_after_boot: Duration,
    /// Links that keep a distance between announcements, each alone or several together.
    pub pacing: Vec<Pacing>,
    /// What is there as long as the node runs.
    pub fixed: Fixed,
    /// Links whose changes of state are waited out.
    pub link_delays: BTreeMap<LinkName, LinkDelay>,
    /// Sessions by name, each with other addresses of the machine at its far end: while it is up, that machine lives,
    /// whatever is heard of those.
    pub vouchers: BTreeMap<Name, Vec<IpAddr>>,
}

/// One virtual router on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterSettings {
    /// Its name.
    pub name: Name,
    /// Its number on the link.
    pub vrid: Vrid,
    /// The version of the protocol that it speaks; IPv6 implies version 3.
    pub version: Version,
    /// The family that carries its advertisements, and of `addresses`.
    pub family: Family,
    /// The link that it advertises on.
    pub link: LinkName,
    /// Its priority before tracking has its say.
    pub priority: Priority,
    /// What it starts as. Only an address owner (priority 255) starts as Active at once.
    pub start_as: StartAs,
    /// How often the Active advertises. Version 2: whole seconds.
    pub advertisement_interval: Centiseconds,
    /// How many silent intervals make an Active dead: 3 unless asked otherwise.
    pub down_intervals: u8,
    /// How it shows that it is one of them.
    pub authentication: Authentication,
    /// What else it has in the kernel.
    pub kernel: KernelSide,
    /// The virtual addresses that are advertised, in the order of the wire.
    pub addresses: Vec<VirtualAddress>,
    /// Addresses that move along and are not advertised; any family.
    pub excluded: Vec<VirtualAddress>,
    /// To whom it advertises.
    pub peers: Peers,
    /// The source address of its advertisements; the link's primary address if none.
    pub source: Option<IpAddr>,
    /// Whether and when it takes over from a lower priority.
    pub preempt: Preempt,
    /// Whether its own link going down makes it unfit.
    pub track_own_link: bool,
    /// Whether `source` not being on its link makes it unfit.
    pub track_source: bool,
    /// Links whose state counts.
    pub track_links: Vec<TrackLink>,
    /// Scripts whose verdict counts.
    pub track_scripts: Vec<TrackScript>,
    /// Gauges whose reading counts.
    pub track_gauges: Vec<TrackGauge>,
    /// How it announces its addresses.
    pub announce: Announce,
    /// Which checksum its version 3 IPv4 advertisements bear.
    pub checksum: ChecksumForm,
    /// What it makes of what it hears.
    pub hearing: Hearing,
}

impl RouterSettings {
    /// A version 2 Backup without addresses, everything else as keepalived has it by default.
    pub fn by_default(name: Name, vrid: Vrid, link: LinkName) -> RouterSettings {
        RouterSettings {
            name,
            vrid,
            version: Version::V2,
            family: Family::V4,
            link,
            priority: Priority::DEFAULT,
            start_as: StartAs::Backup,
            advertisement_interval: Centiseconds(100),
            down_intervals: 3,
            authentication: Authentication::None,
            kernel: KernelSide::default(),
            addresses: Vec::new(),
            excluded: Vec::new(),
            peers: Peers::Multicast { group: usual_group(Family::V4) },
            source: None,
            preempt: Preempt::After(Duration::ZERO),
            track_own_link: true,
            track_source: false,
            track_links: Vec::new(),
            track_scripts: Vec::new(),
            track_gauges: Vec::new(),
            announce: Announce::default(),
            checksum: ChecksumForm::PseudoHeader,
            hearing: Hearing::default(),
        }
    }
}

/// What a router makes of the advertisements of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// Do not answer an advertisement of lower priority with one of ours.
    pub ignore_lower_priority: bool,
    /// Send one last advertisement before yielding to a higher priority, so that the winner hears that there were two
    /// and announces once more. On unless told otherwise, unlike keepalived's.
    pub answer_higher_priority: bool,
    /// Drop advertisements from unicast senders that are not in the list of peers.
    pub check_unicast_source: bool,
    /// Do not compare the list of addresses again while the sender is the same.
    pub skip_address_check: bool,
    /// As the address owner it drops all advertisements: nobody else may be Active.
    pub owner_ignores: bool,
}

impl Default for Hearing {
    /// It answers whoever is higher or lower, and checks the list of addresses.
    fn default() -> Hearing {
        Hearing {
            ignore_lower_priority: false,
            answer_higher_priority: true,
            check_unicast_source: false,
            skip_address_check: false,
            owner_ignores: false,
        }
    }
}

impl RouterSettings {
    /// The link that its advertisements leave by, and on which it hears those of others.
    pub fn advert_link(&self) -> &LinkName {
        self.kernel.virtual_links.speaks_on.as_ref().unwrap_or(&self.link)
    }

    /// The multicast group that it hears. One with unicast peers hears the protocol's, so that somebody who
    /// multicasts to it is counted.
    pub fn heard_group(&self) -> IpAddr {
        match (&self.peers, self.family) {
            (Peers::Multicast { group }, _) => *group,
            (Peers::Unicast { .. }, family) => usual_group(family),
        }
    }

    /// The link whose address it advertises from: on an ipvlan its own, on a macvlan that of its base.
    pub fn source_link(&self) -> &LinkName {
        let is_ipvlan = |made: &VirtualLink| !made.has_own_mac();
        let spoken = self.advert_link();
        let made = self.kernel.virtual_links.made.get(spoken);
        if made.is_some_and(is_ipvlan) { spoken } else { &self.link }
    }

    /// The link where its addresses are unless they say otherwise.
    pub fn home_link(&self) -> &LinkName {
        let is_home = |made: &VirtualLink| {
            made.base == self.link && made.family == self.family && made.has_own_mac()
        };
        let mut virtuals = self.kernel.virtual_links.made.iter();
        virtuals.find(|(_, made)| is_home(made)).map_or(&self.link, |(name, _)| name)
    }

    /// The link that has to be up for an address: the base where it stands on a virtual link.
    pub fn base_of<'a>(&'a self, link: &'a LinkName) -> &'a LinkName {
        self.kernel.virtual_links.made.get(link).map_or(link, |made| &made.base)
    }
}

/// What a router has in the kernel beside its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelSide {
    /// Whether packets to the virtual addresses are accepted by a non-owner.
    pub accept: bool,
    /// Links of its own that are there as long as it is.
    pub virtual_links: VirtualLinks,
    /// Routes and rules that move along.
    pub routing: Routing,
    /// Whether addresses behind the first of their subnet stay on its link when that one goes, as long as it is
    /// there (`promote_secondaries`).
    pub promotes_secondaries: bool,
}

impl Default for KernelSide {
    /// It accepts, and has nothing else.
    fn default() -> KernelSide {
        KernelSide {
            accept: true,
            virtual_links: VirtualLinks::default(),
            routing: Routing::default(),
            promotes_secondaries: false,
        }
    }
}

/// Routes and rules that are there together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// The routes.
    pub routes: Vec<VirtualRoute>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A route that moves, or stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualRoute {
    /// Which.
    pub key: RouteKey,
    /// What it does.
    pub route: Route,
    /// Whether its links going down makes the router unfit.
    pub track: bool,
}

/// What is in the kernel as long as the node runs, whoever is Active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The addresses.
    pub addresses: Vec<VirtualAddress>,
    /// The routes and rules.
    pub routing: Routing,
}

/// The links with the virtual router's hardware address (RFC 9568 §7.3) that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualLinks {
    /// The links to be made, by their names.
    pub made: BTreeMap<LinkName, VirtualLink>,
    /// The one of them that it advertises on; the router's own link if none.
    pub speaks_on: Option<LinkName>,
}

/// A virtual router's number, 1 to 255. RFC 9568 §5.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// 1 to 255.
    pub fn new(number: u8) -> Option<Vrid> {
        NonZeroU8::new(number).map(Vrid)
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// RFC 3768, IPv4 only.
    V2,
    /// RFC 9568 (and 5798), both families.
    V3,
}

/// A configured priority, 1 to 255; 255 is the address owner. RFC 9568 §5.2.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(NonZeroU8);

impl Priority {
    /// A Backup's where nobody says otherwise. RFC 9568 §5.2.4.
    pub const DEFAULT: Priority = match NonZeroU8::new(100) {
        Some(number) => Priority(number),
        None => Priority::OWNER,
    };
    /// The address owner's.
    pub const OWNER: Priority = Priority(NonZeroU8::MAX);

    /// 1 to 255.
    pub fn new(number: u8) -> Option<Priority> {
        NonZeroU8::new(number).map(Priority)
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0.get()
    }

    /// Whether it is the address owner's.
    pub fn is_owner(self) -> bool {
        self == Priority::OWNER
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a virtual router starts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAs {
    /// Active at once; has effect for the address owner only.
    Active,
    /// Backup, for a full active-down interval.
    Backup,
}

/// Hundredths of a second, the unit of version 3 on the wire. RFC 9568 §5.2.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Centiseconds(pub u16);

impl Centiseconds {
    /// As a length of time.
    pub fn duration(self) -> Duration {
        Duration::from_millis(u64::from(self.0) * 10)
    }
}

/// An address that moves, where it stands and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualAddress {
    /// The link (the router's own unless said otherwise) and the address.
    pub key: AddressKey,
    /// How it is put there.
    pub options: AddressOptions,
    /// Whether its link going down makes the router unfit.
    pub track: bool,
}

/// To whom a virtual router advertises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// To the protocol's group.
    Multicast {
        /// 224.0.0.18 or ff02::12 unless set otherwise.
        group: IpAddr,
    },
    /// To each of these.
    Unicast {
        /// The peers; without any the router is unfit.
        peers: Vec<UnicastPeer>,
        /// TTL or hop limit of what we send.
        ttl: u8,
    },
}

/// The protocol's own group. RFC 9568 §5.1.1.2, §5.1.2.2.
pub fn usual_group(family: Family) -> IpAddr {
    match family {
        Family::V4 => [224, 0, 0, 18].into(),
        Family::V6 => [0xff02, 0, 0, 0, 0, 0, 0, 0x12].into(),
    }
}

/// One unicast peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnicastPeer {
    /// Its address.
    pub address: IpAddr,
    /// The least TTL that its advertisements may bear.
    pub ttl_min: Option<u8>,
    /// The greatest TTL that its advertisements may bear.
    pub ttl_max: Option<u8>,
}

/// Whether and when a Backup of higher priority takes over from an Active of lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preempt {
    /// Never; it waits for silence.
    Never,
    /// After so long; zero: when its active-down timer runs out.
    After(Duration),
}

/// A link whose state counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackLink {
    /// The link.
    pub link: LinkName,
    /// What its state does.
    pub weight: Weight,
}

/// A reference to a tracked script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackScript {
    /// The script's name.
    pub script: Name,
    /// What its verdict does here; the script's own weight if none.
    pub weight: Option<Weight>,
}

/// A script whose verdict is tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedScript {
    /// Its name.
    pub name: Name,
    /// What is run.
    pub command: Command,
    /// From one start to the next.
    pub interval: Duration,
    /// It has failed if it takes longer.
    pub timeout: Duration,
    /// What its verdict does where nobody says otherwise.
    pub weight: Weight,
    /// So many successes in a row make it up.
    pub rise: u32,
    /// So many failures in a row make it down.
    pub fall: u32,
    /// Until its first result it counts as failed rather than as unknown.
    pub starts_failed: bool,
}

/// A program with its arguments, run without a shell, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    /// The program and its arguments; never empty.
    pub words: Vec<String>,
    /// The user; the script user of the node if none.
    pub user: Option<String>,
    /// The group; the user's own if none.
    pub group: Option<String>,
}

/// Routers that move together: all Active, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// Its name.
    pub name: Name,
    /// Names of routers that exist, in the order of the file; not empty.
    pub members: Vec<Name>,
    /// Links whose state counts for all members.
    pub track_links: Vec<TrackLink>,
    /// Scripts whose verdict counts for all members.
    pub track_scripts: Vec<TrackScript>,
    /// Gauges whose reading counts for all members.
    pub track_gauges: Vec<TrackGauge>,
    /// Whether weights of the members' own tracked things count (`sync_group_tracking_weight`).
    pub member_weights: bool,
}

/// How addresses are announced by gratuitous ARP and unsolicited neighbour advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// From the first burst to the second; zero: no second burst.
    pub delay: Duration,
    /// Passes in a burst.
    pub repeat: u32,
    /// Passes again every so often; zero: never.
    pub refresh: Duration,
    /// Passes in a refresh.
    pub refresh_repeat: u32,
    /// As `delay`, after an advertisement of lower priority was heard.
    pub lower_priority_delay: Duration,
    /// As `repeat`, after an advertisement of lower priority was heard.
    pub lower_priority_repeat: u32,
    /// At least so long between two gratuitous ARPs on one link.
    pub arp_interval: Duration,
    /// At least so long between two neighbour advertisements on one link.
    pub na_interval: Duration,
    /// Passes every so often for addresses on other links than the router's own, so that switches do not forget
    /// where those are; zero: never.
    pub elsewhere: Duration,
    /// Whether those are meant that are no virtual links, too.
    pub elsewhere_on_all: bool,
}

/// Links on which announcements keep a distance, all of them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// The links, with the virtual links on them.
    pub links: BTreeSet<LinkName>,
    /// At least so long between two gratuitous ARPs; as the router asks for if none.
    pub arp_interval: Option<Duration>,
    /// At least so long between two neighbour advertisements; as the router asks for if none.
    pub na_interval: Option<Duration>,
}

impl Default for Announce {
    /// keepalived's values.
    fn default() -> Announce {
        Announce {
            delay: Duration::from_secs(5),
            repeat: 5,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_priority_delay: Duration::from_secs(5),
            lower_priority_repeat: 5,
            arp_interval: Duration::ZERO,
            na_interval: Duration::ZERO,
            elsewhere: Duration::ZERO,
            elsewhere_on_all: false,
        }
    }
}

/// Which checksum a version 3 advertisement over IPv4 bears; all are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChecksumForm {
    /// With a pseudo-header, as keepalived, tcpdump and RFC 5798 as commonly read.
    #[default]
    PseudoHeader,
    /// Over the message alone. RFC 9568 §5.2.8.
    MessageOnly,
}
