//! A table on a bench: a kernel that does what is wanted, a clock, and peers to hear.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{
    Deadline, Family, Instant, InterfaceAddress, LinkIndex, LinkName, MacAddress, Machine,
};
use mainstay_plan::{Actual, AddressKey, AddressOptions, Change, Link, PresentAddress, steps};

use crate::advert::{ChecksumSeen, Outgoing};
use crate::event::{Cause, StateName};
use crate::gauge::{Gauge, Reading};
use crate::settings::*;
use crate::{
    Event, HandoverFailure, Input, NeighbourSeen, Received, Reject, RouterView, Silence, Table,
    Transmit,
};

/// The silence that counts as the death of a watched peer.
pub(crate) const DETECTION: Duration = Duration::from_millis(12);
/// eth0.
pub(crate) const LINK: LinkIndex = LinkIndex(2);
/// eth1.
pub(crate) const OTHER: LinkIndex = LinkIndex(3);
/// The bench's own address on eth0.
pub(crate) const OWN: &str = "10.0.0.5";
/// A peer with a lower address than ours.
pub(crate) const LOW: &str = "10.0.0.2";
/// A peer with a higher address than ours.
pub(crate) const HIGH: &str = "10.0.0.200";

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn name(text: &str) -> LinkName {
    text.parse().expect("a link name")
}

pub(crate) fn on(link: &str, address: &str) -> VirtualAddress {
    let address = address.parse().expect("an address");
    let key = AddressKey { link: name(link), address };
    VirtualAddress { key, options: AddressOptions::default(), track: true }
}

/// A version 2 router of priority 100 on eth0, as keepalived's defaults make it.
pub(crate) fn router(vrid: u8, address: &str) -> RouterSettings {
    let addresses = vec![on("eth0", address)];
    let router = Name::new(&format!("R{vrid}"));
    let vrid = Vrid::new(vrid).expect("a number");
    RouterSettings { addresses, ..RouterSettings::by_default(router, vrid, name("eth0")) }
}

pub(crate) fn priority(number: u8) -> Priority {
    Priority::new(number).expect("a priority")
}

pub(crate) fn settings(routers: Vec<RouterSettings>) -> Settings {
    Settings { routers, ..Settings::default() }
}

pub(crate) fn group(members: &[&str]) -> GroupSettings {
    GroupSettings {
        name: Name::new("G"),
        members: members.iter().map(|member| Name::new(member)).collect(),
        track_links: Vec::new(),
        track_scripts: Vec::new(),
        track_gauges: Vec::new(),
        member_weights: false,
    }
}

pub(crate) fn script(text: &str, weight: i16) -> TrackedScript {
    TrackedScript {
        name: Name::new(text),
        command: Command { words: vec!["/bin/true".to_owned()], user: None, group: None },
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        weight: Weight { value: weight, reverse: false },
        rise: 1,
        fall: 1,
        starts_failed: false,
    }
}

pub(crate) fn track_script(text: &str) -> TrackScript {
    TrackScript { script: Name::new(text), weight: None }
}

pub(crate) fn track_link(link: &str, weight: i16) -> TrackLink {
    TrackLink { link: name(link), weight: Weight { value: weight, reverse: false } }
}

pub(crate) fn link(index: LinkIndex, up: bool) -> Link {
    let number = u8::try_from(index.0).expect("a small index");
    Link {
        up,
        ..Link::ethernet(
            index,
            name(if index == LINK { "eth0" } else { "eth1" }),
            Some(MacAddress([2, 0, 0, 0, 0, number])),
        )
    }
}

/// What the kernel has before the table wants anything.
fn surroundings() -> Actual {
    let mut actual = Actual::default();
    for (index, address) in [(LINK, "10.0.0.5/24"), (LINK, "fe80::5/64"), (OTHER, "10.1.0.5/24")] {
        actual.links.insert(index, link(index, true));
        let address = address.parse().expect("an address");
        actual.addresses.insert((index, address), PresentAddress::default());
    }
    actual
}

/// A table with its surroundings, and everything that it said.
pub(crate) struct Bench {
    pub table: Table,
    pub actual: Actual,
    pub now: Instant,
    pub sent: Vec<Transmit>,
    pub told: Vec<Event>,
}

impl Bench {
    /// eth0 and eth1 are up, with an address each; the kernel has been seen.
    pub(crate) fn start(settings: Settings) -> Bench {
        Bench::start_at(settings, 0)
    }

    /// As [`Bench::start`], so many milliseconds after the boot.
    pub(crate) fn start_at(settings: Settings, millis: u64) -> Bench {
        let mut bench = Bench::blind(&settings, millis);
        bench.kernel(Change::Whole(Box::new(surroundings())));
        bench
    }

    /// As [`Bench::start`], in the place of an earlier process that left these addresses.
    pub(crate) fn resume(settings: &Settings, left: &[(LinkIndex, &str)]) -> Bench {
        let mut bench = Bench::blind(settings, 0);
        bench.tell(Input::Resume);
        let mut actual = surroundings();
        for (index, address) in left {
            let address = address.parse().expect("an address");
            let present = PresentAddress { ours: true, ..PresentAddress::default() };
            actual.addresses.insert((*index, address), present);
        }
        bench.kernel(Change::Whole(Box::new(actual)));
        bench
    }

    /// A table that has not seen the kernel.
    fn blind(settings: &Settings, millis: u64) -> Bench {
        let now = Instant::ZERO + Duration::from_millis(millis);
        Bench {
            table: Table::start(settings, now),
            actual: Actual::default(),
            now,
            sent: Vec::new(),
            told: Vec::new(),
        }
    }

    /// As [`Bench::start`], passed on to when the only router is Active and has said all.
    pub(crate) fn active(settings: Settings) -> Bench {
        let mut bench = Bench::start(settings);
        bench.pass_ms(60_000);
        assert!(bench.states().iter().all(|state| *state == StateName::Active));
        bench.forget();
        bench
    }

    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        self.told.clear();
    }

    /// Takes in a change of the kernel, and lets the kernel do what is wanted.
    pub(crate) fn kernel(&mut self, change: Change) {
        self.apply(&change);
        self.settle();
    }

    fn apply(&mut self, change: &Change) {
        self.actual.apply(change);
        let input = Input::Kernel { change, actual: &self.actual };
        assert_eq!(self.table.handle_input(input, self.now), Ok(()));
        self.drain();
    }

    pub(crate) fn link_is(&mut self, index: LinkIndex, up: bool) {
        self.kernel(Change::Link(link(index, up)));
    }

    pub(crate) fn address_came(&mut self, index: LinkIndex, address: &str) {
        let address = address.parse().expect("an address");
        let present = PresentAddress::default();
        self.kernel(Change::Address { link: index, address, present });
    }

    pub(crate) fn address_went(&mut self, index: LinkIndex, address: &str) {
        let address = address.parse().expect("an address");
        self.kernel(Change::AddressGone { link: index, address, by_us: false });
    }

    pub(crate) fn script_ended(&mut self, script: &str, success: bool) {
        let script = Name::new(script);
        let input = Input::ScriptEnded { script: &script, success };
        assert_eq!(self.table.handle_input(input, self.now), Ok(()));
        self.settle();
    }

    pub(crate) fn gauge_reads(&mut self, gauge: &Gauge, reading: Reading) {
        assert_eq!(self.table.handle_input(Input::GaugeRead { gauge, reading }, self.now), Ok(()));
        self.settle();
    }

    pub(crate) fn reload(&mut self, settings: &Settings) {
        let input = Input::Settings { settings, actual: &self.actual };
        assert_eq!(self.table.handle_input(input, self.now), Ok(()));
        self.settle();
    }

    pub(crate) fn stop(&mut self) {
        self.tell(Input::Stop);
    }

    pub(crate) fn tell(&mut self, input: Input<'_>) {
        assert_eq!(self.table.handle_input(input, self.now), Ok(()));
        self.settle();
    }

    /// A peer on eth0 is watched: its death will be known within 12 ms.
    pub(crate) fn watch(&mut self, peer: &str) {
        self.tell(Input::PeerWatched { link: LINK, peer: ip(peer), detection: DETECTION });
    }

    /// A watched peer on eth0 has been silent for 12 ms.
    pub(crate) fn lose(&mut self, peer: &str) {
        self.lose_late(peer, Duration::ZERO);
    }

    /// The same, but this node was so late to judge.
    pub(crate) fn lose_late(&mut self, peer: &str, late: Duration) {
        let silence = u64::try_from(DETECTION.as_nanos()).expect("short");
        let due = self.now - late;
        let last_heard = Instant::from_nanos(due.as_nanos().saturating_sub(silence));
        let (link, peer) = (LINK, ip(peer));
        let missing = last_heard + DETECTION * 5 / 6;
        let silence = Silence { last_heard, missing, detection: DETECTION, due };
        self.tell(Input::PeerLost { link, peer, silence });
    }

    /// A peer on eth0 is not watched any more.
    pub(crate) fn unwatch(&mut self, peer: &str) {
        self.tell(Input::PeerUnwatched { link: LINK, peer: ip(peer) });
    }

    /// Another machine is seen to answer for an address.
    pub(crate) fn see(&mut self, link: LinkIndex, address: &str) {
        let hardware = MacAddress([2, 0, 0, 0, 0, 0x77]);
        self.tell(Input::NeighbourSeen(NeighbourSeen { link, address: ip(address), hardware }));
    }

    pub(crate) fn leave(&mut self) {
        self.tell(Input::Leave);
    }

    pub(crate) fn drain_named(&mut self, router: Option<&str>) {
        self.tell(Input::Drain { router: router.map(Name::new).as_ref() });
    }

    pub(crate) fn undrain_named(&mut self, router: Option<&str>) {
        self.tell(Input::Undrain { router: router.map(Name::new).as_ref() });
    }

    pub(crate) fn switch(&mut self, router: &str, to: Option<&str>) {
        self.tell(Input::Switch { router: &Name::new(router), to: to.map(ip) });
    }

    /// Why the last handover failed.
    pub(crate) fn failure(&self) -> Option<HandoverFailure> {
        self.told.iter().rev().find_map(|event| {
            if let Event::HandoverFailed { why, .. } = event { Some(why.clone()) } else { None }
        })
    }

    /// Hears a peer of the first router, with its settings but for the priority.
    pub(crate) fn hear(&mut self, priority: u8, from: &str) -> Result<(), Reject> {
        self.hear_at(0, priority, from, None)
    }

    /// Hears a peer of one of the routers, perhaps with another interval.
    pub(crate) fn hear_at(
        &mut self,
        number: usize,
        priority: u8,
        from: &str,
        interval: Option<u16>,
    ) -> Result<(), Reject> {
        let view = self.view(number);
        let addresses: Vec<IpAddr> = view
            .addresses
            .iter()
            .filter(|address| address.advertised)
            .map(|address| address.key.address.ip())
            .collect();
        let interval = interval.map_or(view.times.interval, Centiseconds);
        let outgoing = Outgoing {
            version: view.version,
            vrid: view.vrid.get(),
            priority,
            interval,
            password: None,
            addresses: &addresses,
        };
        let (destination, form) = match (view.version, view.family) {
            (Version::V2, _) => ("224.0.0.18", ChecksumSeen::V2),
            (Version::V3, Family::V4) => ("224.0.0.18", ChecksumSeen::PseudoHeader),
            (Version::V3, Family::V6) => ("ff02::12", ChecksumSeen::PseudoHeader),
        };
        let payload = outgoing.emit(ip(from), ip(destination), form);
        self.receive(from, destination, &payload)
    }

    pub(crate) fn receive(
        &mut self,
        source: &str,
        destination: &str,
        payload: &[u8],
    ) -> Result<(), Reject> {
        let (source, destination) = (ip(source), ip(destination));
        let packet = Received { link: LINK, source, destination, ttl: 255, payload };
        let result = self.table.handle_input(Input::Received(packet), self.now);
        self.settle();
        result
    }

    fn drain(&mut self) {
        self.sent.extend(std::iter::from_fn(|| self.table.poll_transmit()));
        self.told.extend(std::iter::from_fn(|| self.table.poll_event()));
        assert!(self.table.poll_transmit().is_none() && self.table.poll_event().is_none());
    }

    /// Lets the kernel do what is wanted, one address after the other.
    fn settle(&mut self) {
        self.drain();
        for step in steps(self.table.wants(), &self.actual) {
            if let Some(change) = step.outcome() {
                self.apply(&change);
            }
        }
        assert!(steps(self.table.wants(), &self.actual).is_empty(), "the kernel is as wanted");
    }

    /// Lets milliseconds pass, waking the table at each of its deadlines.
    pub(crate) fn pass_ms(&mut self, millis: u64) {
        self.pass_us(millis * 1000);
    }

    /// Lets microseconds pass, waking the table at each of its deadlines.
    pub(crate) fn pass_us(&mut self, micros: u64) {
        let end = self.now + Duration::from_micros(micros);
        while let Some(deadline) = self.next().filter(|deadline| deadline.at <= end) {
            self.now = self.now.max(deadline.at);
            self.table.handle_timeout(self.now);
            self.settle();
            let next = self.next();
            assert!(next.is_none_or(|next| next.at > deadline.at), "no progress: {next:?}");
        }
        self.now = end;
    }

    /// Lets milliseconds pass without waking it, then wakes it once.
    pub(crate) fn oversleep_ms(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
        self.table.handle_timeout(self.now);
        self.settle();
    }

    pub(crate) fn next(&self) -> Option<Deadline> {
        self.table.poll_timeout()
    }

    pub(crate) fn view(&self, number: usize) -> RouterView {
        self.table.view().routers.swap_remove(number)
    }

    pub(crate) fn state(&self) -> StateName {
        self.view(0).standing.state
    }

    pub(crate) fn why(&self) -> Cause {
        self.view(0).standing.why
    }

    pub(crate) fn states(&self) -> Vec<StateName> {
        self.table.view().routers.iter().map(|router| router.standing.state).collect()
    }

    /// In how many milliseconds the first router takes over or advertises.
    pub(crate) fn due_in(&self) -> Option<u128> {
        let next = self.view(0).times.next?;
        Some(next.at.since(self.now).as_millis())
    }

    pub(crate) fn present(&self, index: LinkIndex, address: &str) -> bool {
        let address: InterfaceAddress = address.parse().expect("an address");
        self.actual.addresses.contains_key(&(index, address))
    }

    /// Number and priority of each advertisement that was sent.
    pub(crate) fn adverts(&self) -> Vec<(u8, u8)> {
        let advert = |transmit: &Transmit| match transmit {
            Transmit::Advert { payload, .. } => Some((payload[1], payload[2])),
            Transmit::Frame { .. } => None,
        };
        self.sent.iter().filter_map(advert).collect()
    }

    /// Announcements that were sent.
    pub(crate) fn frames(&self) -> usize {
        self.sent.iter().filter(|transmit| matches!(transmit, Transmit::Frame { .. })).count()
    }
}
