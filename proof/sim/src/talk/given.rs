//! What a talk begins with: links, virtual routers, groups, scripts.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use mainstay_base::{Family, InterfaceAddress, LinkIndex, LinkName, MacAddress};
use mainstay_engine::bfd::{self, AuthenticationKind, Key};
use mainstay_engine::vrrp::{
    Authentication, Centiseconds, ChecksumForm, Command, GroupSettings, Name, Password, Peers,
    Preempt, Priority, RouterSettings, StartAs, TrackLink, TrackScript, TrackedScript, UnicastPeer,
    Version, VirtualAddress, Vrid, Weight,
};
use mainstay_engine::{Detection, Settings};
use mainstay_plan::{AddressKey, AddressOptions, Link, PresentAddress};

use super::words::Words;
use crate::Kernel;

/// The settings and the kernel that a talk begins with.
#[derive(Clone, Debug)]
pub struct Given {
    /// The node's settings.
    pub settings: Settings,
    /// Its kernel.
    pub kernel: Kernel,
    links: u32,
}

impl Default for Given {
    /// Nobody is watched unless the talk says so.
    fn default() -> Given {
        let detection = Detection { on: false, ..Detection::default() };
        let settings = Settings { detection, ..Settings::default() };
        Given { settings, kernel: Kernel::default(), links: 0 }
    }
}

impl Given {
    /// Takes in what follows `given`.
    ///
    /// # Errors
    /// The line is not understood.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words::of(line);
        match words.word("what is given")? {
            "link" => self.add_link(&mut words),
            "leftover" => self.add_leftover(&mut words),
            "router" => self.add_router(&mut words),
            "group" => {
                self.settings.vrrp.groups.push(group(&mut words)?);
                Ok(())
            }
            "script" => {
                self.settings.vrrp.scripts.push(script(&mut words)?);
                Ok(())
            }
            "detection" => {
                self.settings.detection = detection(&mut words)?;
                Ok(())
            }
            "startup-delay" => {
                self.settings.vrrp.startup_delay = words.duration("the startup delay")?;
                Ok(())
            }
            other => Err(format!("`{other}` cannot be given")),
        }
    }

    /// The link `eth0` with three addresses, unless the talk has links of its own.
    pub fn complete(&mut self) -> Result<(), String> {
        if self.links == 0 {
            let link = "eth0 address 10.0.0.11/24 address fe80::11/64 address 2001:db8::11/64";
            self.add_link(&mut Words::of(link))?;
        }
        self.kernel.forget_answers();
        Ok(())
    }

    fn add_link(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        self.links += 1;
        let number = u8::try_from(self.links).map_err(|_| "too many links")?;
        let mut link = Link::ethernet(
            LinkIndex(1 + self.links),
            words.value("the link's name")?,
            Some(MacAddress([2, 0, 0, 0, 0, number])),
        );
        let mut addresses: Vec<InterfaceAddress> = Vec::new();
        while let Some(word) = words.next() {
            match word {
                "address" => addresses.push(words.value("the address")?),
                "down" => link.up = false,
                "absent" => return Ok(()),
                other => return Err(format!("a link has no `{other}`")),
            }
        }
        self.kernel.attach(link, &addresses);
        Ok(())
    }

    fn add_leftover(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        if self.links == 0 {
            self.complete()?;
        }
        let address = words.value("the address")?;
        let name: LinkName = if words.take("on") { words.value("the link")? } else { link_name()? };
        let ours = !words.take("foreign");
        let link = self.kernel.actual().link_named(&name).ok_or("no such link")?.index;
        let present = PresentAddress { ours, ..PresentAddress::default() };
        self.kernel.put(link, address, present);
        Ok(())
    }

    /// Adds a virtual router, or replaces the one of that name.
    fn add_router(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let router = router(words)?;
        let routers = &mut self.settings.vrrp.routers;
        match routers.iter_mut().find(|other| other.name == router.name) {
            Some(other) => *other = router,
            None => routers.push(router),
        }
        Ok(())
    }
}

/// `given detection`, `given detection 10ms times 5`, `given detection by-rhythm`, which is what nodes do by default,
/// `given detection password secret`, `given detection off`.
fn detection(words: &mut Words<'_>) -> Result<Detection, String> {
    // A talk tells of moments: nobody has the seconds to show a rhythm.
    let interval = Duration::from_millis(4);
    let mut detection = Detection { by_rhythm: false, interval, ..Detection::default() };
    while let Some(word) = words.next() {
        match word {
            "off" => detection.on = false,
            "by-rhythm" => {
                let Detection { interval, by_rhythm, .. } = Detection::default();
                (detection.interval, detection.by_rhythm) = (interval, by_rhythm);
            }
            "password" => {
                let kind = AuthenticationKind::SimplePassword;
                let key = Key::new(kind, words.word("the password")?.as_bytes());
                let key = key.ok_or("the password is too long")?;
                detection.authentication = Some(bfd::Authentication { kind, key_id: 1, key });
            }
            "times" => detection.multiplier = words.value("the multiplier")?,
            interval => {
                let interval = super::words::duration(interval);
                detection.interval = interval.ok_or("the interval is not a length of time")?;
            }
        }
    }
    Ok(detection)
}

fn link_name() -> Result<LinkName, String> {
    "eth0".parse().map_err(|error| format!("{error}"))
}

/// A virtual router as keepalived would have it by default, before its words are read.
fn plain(name: &str) -> Result<RouterSettings, String> {
    let vrid = Vrid::new(51).ok_or("51 is a number")?;
    Ok(RouterSettings::by_default(Name::new(name), vrid, link_name()?))
}

fn router(words: &mut Words<'_>) -> Result<RouterSettings, String> {
    let mut router = plain(words.word("the router's name")?)?;
    let mut plain_addresses: Vec<(bool, InterfaceAddress, Option<LinkName>)> = Vec::new();
    let mut unicast: Option<(Vec<UnicastPeer>, u8)> = None;
    while let Some(word) = words.next() {
        match word {
            "on" => router.link = words.value("the link")?,
            "address" | "excluded" => {
                let address = words.value("the address")?;
                let link = if words.take("at") { Some(words.value("the link")?) } else { None };
                plain_addresses.push((word == "excluded", address, link));
            }
            "unicast" => {
                let peers = unicast.get_or_insert((Vec::new(), 255));
                peers.0.push(peer(words)?);
            }
            "ttl" => unicast.get_or_insert((Vec::new(), 255)).1 = words.value("the ttl")?,
            other => of_election(&mut router, other, words)?,
        }
    }
    for (excluded, address, link) in plain_addresses {
        let link = link.unwrap_or_else(|| router.link.clone());
        let key = AddressKey { link, address };
        let address = VirtualAddress { key, options: AddressOptions::default(), track: true };
        if excluded { router.excluded.push(address) } else { router.addresses.push(address) }
    }
    if router.addresses.first().is_some_and(|address| address.key.address.family() == Family::V6) {
        (router.family, router.version) = (Family::V6, Version::V3);
        let group = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12));
        router.peers = Peers::Multicast { group };
    }
    if let Some((peers, ttl)) = unicast {
        router.peers = Peers::Unicast { peers, ttl };
    }
    Ok(router)
}

/// Words that say who goes before whom, and what is on the wire.
fn of_election(
    router: &mut RouterSettings,
    word: &str,
    words: &mut Words<'_>,
) -> Result<(), String> {
    match word {
        "vrid" => router.vrid = Vrid::new(words.value("the vrid")?).ok_or("the vrid is 0")?,
        "version" => {
            router.version = match words.word("the version")? {
                "2" => Version::V2,
                "3" => Version::V3,
                other => return Err(format!("no version {other}")),
            }
        }
        "priority" => {
            let number = words.value("the priority")?;
            router.priority = Priority::new(number).ok_or("the priority is 0")?;
        }
        "starts-active" => router.start_as = StartAs::Active,
        "interval" => router.advertisement_interval = centiseconds(words)?,
        "down-intervals" => router.down_intervals = words.value("the count")?,
        "password" => router.authentication = Authentication::Password(password(words)?),
        "source" => router.source = Some(words.value("the source")?),
        "nopreempt" => router.preempt = Preempt::Never,
        "preempt-delay" => router.preempt = Preempt::After(words.duration("the delay")?),
        "checksum" => {
            router.checksum = match words.word("the form")? {
                "message-only" => ChecksumForm::MessageOnly,
                "pseudo-header" => ChecksumForm::PseudoHeader,
                other => return Err(format!("no checksum {other}")),
            }
        }
        "ignore-lower" => router.hearing.ignore_lower_priority = true,
        "yields-silently" => router.hearing.answer_higher_priority = false,
        "check-source" => router.hearing.check_unicast_source = true,
        "skip-address-check" => router.hearing.skip_address_check = true,
        other => return of_surroundings(router, other, words),
    }
    Ok(())
}

/// Words that say what is tracked and what is announced.
fn of_surroundings(
    router: &mut RouterSettings,
    word: &str,
    words: &mut Words<'_>,
) -> Result<(), String> {
    let announce = &mut router.announce;
    match word {
        "no-accept" => router.kernel.accept = false,
        "untracked" => {
            router.track_own_link = false;
        }
        "track-link" => {
            let link = words.value("the link")?;
            router.track_links.push(TrackLink { link, weight: weight(words)?.unwrap_or_default() });
        }
        "track-script" => {
            let script = Name::new(words.word("the script")?);
            router.track_scripts.push(TrackScript { script, weight: weight(words)? });
        }
        "garp-delay" => announce.delay = words.duration("the delay")?,
        "garp-repeat" => announce.repeat = words.value("the count")?,
        "garp-refresh" => announce.refresh = words.duration("the interval")?,
        "garp-refresh-repeat" => announce.refresh_repeat = words.value("the count")?,
        "garp-lower-delay" => announce.lower_priority_delay = words.duration("the delay")?,
        "garp-lower-repeat" => announce.lower_priority_repeat = words.value("the count")?,
        "garp-interval" => announce.arp_interval = words.duration("the interval")?,
        "gna-interval" => announce.na_interval = words.duration("the interval")?,
        other => return Err(format!("a router has no `{other}`")),
    }
    Ok(())
}

/// A length of time in hundredths of a second.
pub(super) fn centiseconds(words: &mut Words<'_>) -> Result<Centiseconds, String> {
    let hundredths = words.duration("the interval")?.as_millis() / 10;
    u16::try_from(hundredths).map(Centiseconds).map_err(|_| "the interval is too long".to_owned())
}

/// Up to eight characters, padded with zeros.
pub(super) fn password(words: &mut Words<'_>) -> Result<Password, String> {
    let text = words.word("the password")?.as_bytes();
    let mut bytes = [0; 8];
    bytes.get_mut(..text.len()).ok_or("the password is longer than 8 bytes")?.copy_from_slice(text);
    Ok(Password(bytes))
}

fn peer(words: &mut Words<'_>) -> Result<UnicastPeer, String> {
    let mut peer = UnicastPeer { address: words.value("the peer")?, ttl_min: None, ttl_max: None };
    if words.take("ttl-min") {
        peer.ttl_min = Some(words.value("the least ttl")?);
    }
    if words.take("ttl-max") {
        peer.ttl_max = Some(words.value("the greatest ttl")?);
    }
    Ok(peer)
}

fn weight(words: &mut Words<'_>) -> Result<Option<Weight>, String> {
    if !words.take("weight") {
        return Ok(None);
    }
    Ok(Some(Weight { value: words.value("the weight")?, reverse: words.take("reverse") }))
}

fn group(words: &mut Words<'_>) -> Result<GroupSettings, String> {
    let mut group = GroupSettings {
        name: Name::new(words.word("the group's name")?),
        members: Vec::new(),
        track_links: Vec::new(),
        track_scripts: Vec::new(),
        track_gauges: Vec::new(),
        member_weights: false,
    };
    while let Some(word) = words.next() {
        match word {
            "member" => group.members.push(Name::new(words.word("the member")?)),
            "track-link" => {
                let link = words.value("the link")?;
                let weight = weight(words)?.unwrap_or_default();
                group.track_links.push(TrackLink { link, weight });
            }
            "track-script" => {
                let script = Name::new(words.word("the script")?);
                group.track_scripts.push(TrackScript { script, weight: weight(words)? });
            }
            "member-weights" => group.member_weights = true,
            other => return Err(format!("a group has no `{other}`")),
        }
    }
    Ok(group)
}

fn script(words: &mut Words<'_>) -> Result<TrackedScript, String> {
    let name = words.word("the script's name")?;
    let mut script = TrackedScript {
        name: Name::new(name),
        command: Command { words: vec![format!("/bin/{name}")], user: None, group: None },
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        weight: Weight::default(),
        rise: 1,
        fall: 1,
        starts_failed: false,
    };
    while let Some(word) = words.next() {
        match word {
            "weight" => {
                script.weight.value = words.value("the weight")?;
                script.weight.reverse = words.take("reverse");
            }
            "rise" => script.rise = words.value("the count")?,
            "fall" => script.fall = words.value("the count")?,
            "starts-failed" => script.starts_failed = true,
            other => return Err(format!("a script has no `{other}`")),
        }
    }
    Ok(script)
}
