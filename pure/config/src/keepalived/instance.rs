//! `vrrp_instance` blocks, as written.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use mainstay_base::Family;
use mainstay_engine::vrrp::{StartAs, UnicastPeer, Version};

use super::address::{self, Entry};
use super::announcing::Announcing;
use super::globals::{Defaults, down_intervals, group, version};
use super::group::NotifyDraft;
use super::hmac::{self, HmacDraft};
use super::keywords::Block;
use super::line::At;
use super::routing::RoutingDraft;
use super::script::{self, Tracked, tracked};
use super::tree::Statement;
use super::unknown::unhandled;
use super::values::{always_on, flag, ip, name, no_more, number, seconds, value, whole};
use super::vmac::VirtualMac;
use super::watched;
use super::words::Word;
use crate::fault::Faults;
use crate::iproute::Names;
use crate::{Code, Fault};

/// An instance as written.
#[derive(Debug)]
pub(super) struct InstanceDraft {
    pub name: Word,
    /// The family of the first address, peer or source in it; all others must be of it.
    pub family: Option<Family>,
    pub link: Option<Word>,
    pub vrid: Option<(u8, At)>,
    pub priority: Option<(u8, At)>,
    pub state: Option<(StartAs, At)>,
    pub interval: Option<(Duration, At)>,
    pub authentication: Authentication,
    pub hmac: Option<HmacDraft>,
    pub addresses: Vec<Entry>,
    pub excluded: Vec<Entry>,
    pub virtual_mac: VirtualMac,
    pub routing: RoutingDraft,
    pub sending: Sending,
    pub preempting: Preempting,
    pub tracking: Tracking,
    pub notify: NotifyDraft,
    pub announce: Announcing,
    pub protocol: Protocol,
}

/// `authentication`.
#[derive(Debug, Default)]
pub(super) struct Authentication {
    pub at: Option<At>,
    pub kind: Option<Word>,
    pub password: Option<Word>,
    pub misplaced_hmac: bool,
}

/// From where and to whom it advertises.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub source: Option<(IpAddr, At)>,
    /// The block of peers, if there is one.
    pub peers_at: Option<At>,
    pub peers: Vec<(UnicastPeer, At)>,
    pub ttl: Option<u8>,
    pub group: Option<(IpAddr, At)>,
    pub check_source: Option<bool>,
    /// Where it says something that only peers make sense of.
    pub unicast_at: Option<At>,
    /// Without peers it is unfit.
    pub peers_required: Option<bool>,
}

/// `nopreempt`, `preempt_delay`.
#[derive(Debug, Default)]
pub(super) struct Preempting {
    pub never: Option<At>,
    pub delay: Option<(Duration, At)>,
}

/// What counts beside its own link.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    pub ignore_own_link: bool,
    /// Its own link is asked for its carrier.
    pub polls_own_link: bool,
    pub links: Vec<Tracked>,
    pub scripts: Vec<Tracked>,
    pub files: Vec<Tracked>,
    pub processes: Vec<Tracked>,
    pub sessions: Vec<Tracked>,
    /// Where it says that its source address counts.
    pub source: Option<At>,
}

/// How it speaks the protocol.
#[derive(Debug, Default)]
pub(super) struct Protocol {
    pub version: Option<(Version, At)>,
    pub native_ipv6: bool,
    pub accept: Option<(bool, At)>,
    pub strict: Option<bool>,
    pub skip_address_check: Option<bool>,
    pub ignore_lower_priority: Option<bool>,
    pub answer_higher_priority: Option<bool>,
    pub owner_ignores: Option<bool>,
    pub down_intervals: Option<u8>,
    pub message_only_checksum: bool,
    pub no_addresses_meant: bool,
}

/// Reads a `vrrp_instance` block; none if it has no name.
pub(super) fn read(
    block: &Statement,
    names: &mut Names<'_>,
    faults: &mut Faults,
) -> Option<InstanceDraft> {
    let name = name(block, faults)?.clone();
    let mut draft = InstanceDraft {
        name,
        family: None,
        link: None,
        vrid: None,
        priority: None,
        state: None,
        interval: None,
        authentication: Authentication::default(),
        hmac: None,
        addresses: Vec::new(),
        excluded: Vec::new(),
        virtual_mac: VirtualMac::default(),
        routing: RoutingDraft::default(),
        sending: Sending::default(),
        preempting: Preempting::default(),
        tracking: Tracking::default(),
        notify: NotifyDraft::default(),
        announce: Announcing::default(),
        protocol: Protocol::default(),
    };
    for statement in block.inner() {
        let keyword = statement.keyword();
        let taken = draft.read_identity(keyword, statement, faults)
            || draft.read_addresses(keyword, statement, faults)
            || draft.read_routing(keyword, statement, names, faults)
            || draft.virtual_mac.read(keyword, statement, faults)
            || draft.sending.read(keyword, statement, faults)
            || draft.preempting.read(keyword, statement, faults)
            || draft.tracking.read(keyword, statement, faults)
            || draft.protocol.read(keyword, statement, faults)
            || draft.announce.read(keyword, statement, faults)
            || draft.notify.read(keyword, statement, faults);
        if !taken {
            unhandled(Block::Instance, statement, faults);
        }
        draft.family = draft.family.or(draft.first_family());
    }
    Some(draft)
}

impl InstanceDraft {
    /// Whether strict mode is on for it.
    pub(super) fn strict(&self, defaults: &Defaults) -> bool {
        self.protocol.strict.unwrap_or(defaults.strict)
    }

    /// The start of a message about it.
    pub(super) fn spoken(&self) -> String {
        format!("virtual router `{}`", self.name.text)
    }

    fn read_identity(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        let at = statement.at();
        match keyword {
            "interface" => {
                self.link = value(statement, faults).cloned().or(self.link.take());
                no_more(statement, 1, faults);
            }
            "virtual_router_id" => {
                let vrid = byte(statement, 1..=255, faults);
                self.vrid = vrid.map(|vrid| (vrid, at)).or(self.vrid);
            }
            "priority" => {
                // A bad value means 100, not the 255 of `state MASTER` without a priority.
                self.priority = Some((priority(statement, faults).unwrap_or(100), at));
            }
            "advert_int" => {
                let interval = seconds(statement, 10_000..=255_000_000, faults);
                self.interval = interval.map(|interval| (interval, at)).or(self.interval);
            }
            "state" => self.read_state(statement, faults),
            "authentication" => self.authentication.read(statement, faults),
            "auth_hmac" => self.hmac = Some(hmac::read(statement, faults)),
            _ => return false,
        }
        true
    }

    /// The family of whatever names an address so far.
    fn first_family(&self) -> Option<Family> {
        let native = self.protocol.native_ipv6.then_some(Family::V6);
        let address = self.addresses.first().map(|entry| entry.address.family());
        let peer = self.sending.peers.first().map(|(peer, _)| Family::of(peer.address));
        let source = self.sending.source.map(|(source, _)| Family::of(source));
        native.or(address).or(peer).or(source)
    }

    /// Given twice, MASTER wins.
    fn read_state(&mut self, statement: &Statement, faults: &mut Faults) {
        let Some(word) = value(statement, faults) else { return };
        no_more(statement, 1, faults);
        let state = match word.text.as_str() {
            "MASTER" => StartAs::Active,
            "BACKUP" => StartAs::Backup,
            other => {
                let message =
                    format!("`state` is MASTER or BACKUP, not `{other}`; BACKUP is taken");
                faults.add(
                    Fault::error(Code::ValueBad, message)
                        .here(word.at, "")
                        .help("write `state MASTER` or `state BACKUP`"),
                );
                StartAs::Backup
            }
        };
        if !matches!(self.state, Some((StartAs::Active, _))) {
            self.state = Some((state, statement.at()));
        }
    }

    fn read_addresses(
        &mut self,
        keyword: &str,
        statement: &Statement,
        faults: &mut Faults,
    ) -> bool {
        let target = match keyword {
            "virtual_ipaddress" => &mut self.addresses,
            "virtual_ipaddress_excluded" => &mut self.excluded,
            _ => return false,
        };
        target.extend(statement.inner().iter().filter_map(|line| address::entry(line, faults)));
        true
    }

    fn read_routing(
        &mut self,
        keyword: &str,
        statement: &Statement,
        names: &mut Names<'_>,
        faults: &mut Faults,
    ) -> bool {
        match keyword {
            "virtual_routes" => self.routing.read_routes(statement, names, faults),
            "virtual_rules" => self.routing.read_rules(statement, names, faults),
            _ => return false,
        }
        true
    }
}

impl Authentication {
    fn read(&mut self, block: &Statement, faults: &mut Faults) {
        self.at = Some(block.at());
        for statement in block.inner() {
            match statement.keyword() {
                "auth_type" => self.kind = value(statement, faults).cloned(),
                "auth_pass" => {
                    self.password = value(statement, faults).cloned();
                    no_more(statement, 1, faults);
                }
                keyword => {
                    self.misplaced_hmac |= keyword == "auth_hmac";
                    unhandled(Block::Authentication, statement, faults);
                }
            }
        }
    }
}

impl Sending {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        const OF_PEERS: [&str; 4] =
            ["unicast_src_ip", "unicast_ttl", "unicast_fault_no_peer", "check_unicast_src"];
        if OF_PEERS.contains(&keyword) {
            self.unicast_at = Some(statement.at());
        }
        match keyword {
            "unicast_src_ip" | "mcast_src_ip" => {
                if let Some(word) = value(statement, faults) {
                    let address = ip(keyword, word, faults).map(|address| (address, word.at));
                    self.source = address.or(self.source);
                }
            }
            "unicast_peer" => {
                self.peers_at = Some(statement.at());
                let peers = statement.inner().iter().filter_map(|line| peer(line, faults));
                self.peers.extend(peers);
            }
            "unicast_ttl" => self.ttl = byte(statement, 0..=255, faults).or(self.ttl),
            "unicast_fault_no_peer" => {
                self.peers_required = Some(always_on(statement, faults));
            }
            "mcast_dst_ip" => {
                let v6 = statement.values().first().is_some_and(|word| word.text.contains(':'));
                let group = group(statement, v6, faults);
                self.group = group.map(|group| (group, statement.at())).or(self.group);
            }
            "check_unicast_src" => {
                self.check_source = flag(statement, faults).or(self.check_source);
            }
            _ => return false,
        }
        true
    }
}

/// A line of `unicast_peer`: an address, `min_ttl N`, `max_ttl N`.
fn peer(line: &Statement, faults: &mut Faults) -> Option<(UnicastPeer, At)> {
    let first = line.words.first()?;
    let address = ip("unicast_peer", first, faults)?;
    let mut peer = UnicastPeer { address, ttl_min: None, ttl_max: None };
    let mut words = line.values().iter();
    while let Some(option) = words.next() {
        let target = match option.text.as_str() {
            "min_ttl" => &mut peer.ttl_min,
            "max_ttl" => &mut peer.ttl_max,
            other => {
                let message = format!("`{other}` is no option of a peer; it is left out");
                let fault = Fault::error(Code::ValueBad, message).here(option.at, "");
                faults.add(fault.help("the options are `min_ttl` and `max_ttl`"));
                continue;
            }
        };
        let Some(word) = words.next() else {
            let message = format!("`{}` needs a number", option.text);
            faults.add(
                Fault::error(Code::ValueMissing, message)
                    .here(option.at, "")
                    .help("write a number from 0 to 255 after it"),
            );
            break;
        };
        let ttl = whole(&option.text, word, 0..=255, faults);
        *target = ttl.map(|ttl| u8::try_from(ttl).expect("the range was checked"));
    }
    if let (Some(least), Some(most)) = (peer.ttl_min, peer.ttl_max)
        && least > most
    {
        let message = format!("min_ttl {least} is above max_ttl {most}: no packet of it is taken");
        let fault = Fault::warning(Code::ValueRange, message).here(first.at, "");
        faults.add(fault.help("lower `min_ttl`, or raise `max_ttl`"));
    }
    Some((peer, first.at))
}

impl Preempting {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        match keyword {
            "nopreempt" => {
                no_more(statement, 0, faults);
                self.never = Some(statement.at());
            }
            "preempt" => {
                no_more(statement, 0, faults);
                self.never = None;
            }
            "preempt_delay" => {
                let delay = seconds(statement, 0..=1_000_000_000, faults);
                self.delay = delay.map(|delay| (delay, statement.at())).or(self.delay);
            }
            _ => return false,
        }
        true
    }
}

impl Tracking {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        match keyword {
            "linkbeat_use_polling" => {
                no_more(statement, 0, faults);
                self.polls_own_link = true;
            }
            "dont_track_primary" => {
                no_more(statement, 0, faults);
                self.ignore_own_link = true;
            }
            "track_primary" => {
                no_more(statement, 0, faults);
                self.ignore_own_link = false;
            }
            "track_src_ip" => {
                self.source = flag(statement, faults).unwrap_or(true).then(|| statement.at())
            }
            "track_interface" => {
                self.links.extend(tracked(statement, script::WEIGHTS, faults));
            }
            "track_script" => {
                self.scripts.extend(tracked(statement, script::WEIGHTS, faults));
            }
            "track_bfd" => self.sessions.extend(tracked(statement, script::WEIGHTS, faults)),
            "track_file" => self.files.extend(tracked(statement, watched::WEIGHTS, faults)),
            "track_process" => {
                self.processes.extend(tracked(statement, watched::WEIGHTS, faults));
            }
            _ => return false,
        }
        true
    }
}

impl Protocol {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        let at = statement.at();
        match keyword {
            "version" => {
                self.version =
                    version(statement, faults).map(|version| (version, at)).or(self.version);
            }
            "native_ipv6" => self.native_ipv6 = always_on(statement, faults),
            "accept" | "no_accept" => {
                no_more(statement, 0, faults);
                self.accept = Some((keyword == "accept", at));
            }
            "strict_mode" => self.strict = flag(statement, faults).or(self.strict),
            "skip_check_adv_addr" => {
                self.skip_address_check = Some(always_on(statement, faults));
            }
            "lower_prio_no_advert" => {
                self.ignore_lower_priority = flag(statement, faults).or(self.ignore_lower_priority);
            }
            "owner_ignore_adverts" => {
                self.owner_ignores = flag(statement, faults).or(self.owner_ignores);
            }
            "higher_prio_send_advert" => {
                self.answer_higher_priority =
                    flag(statement, faults).or(self.answer_higher_priority);
            }
            "down_timer_adverts" => {
                self.down_intervals = down_intervals(statement, faults).or(self.down_intervals);
            }
            "v3_checksum_as_v2" => {
                self.message_only_checksum = flag(statement, faults).unwrap_or(true);
            }
            "no_virtual_ipaddress" => self.no_addresses_meant = true,
            _ => return false,
        }
        true
    }
}

fn byte(statement: &Statement, range: RangeInclusive<i64>, faults: &mut Faults) -> Option<u8> {
    number(statement, range, faults).map(|n| u8::try_from(n).expect("the range was checked"))
}

/// A priority; 100 in place of a bad one, as keepalived takes it.
fn priority(statement: &Statement, faults: &mut Faults) -> Option<u8> {
    let word = value(statement, faults)?;
    no_more(statement, 1, faults);
    let priority = word.text.parse().ok().filter(|priority| *priority > 0);
    if priority.is_none() {
        let message = format!("`priority` is from 1 to 255, not {}; 100 is taken", word.text);
        let fault = Fault::error(Code::ValueRange, message).here(word.at, "");
        faults.add(fault.help("write a number from 1 to 255"));
    }
    priority
}
