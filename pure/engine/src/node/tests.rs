//! One node beside a kernel that does what it is told.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{LinkName, MacAddress};
use mainstay_plan::{AddressOptions, Link, PresentAddress};
use mainstay_vrrp::{Name, RouterSettings, StateName, VirtualAddress, Vrid};

use super::*;

const ETH0: LinkIndex = LinkIndex(2);

fn eth0() -> LinkName {
    "eth0".parse().expect("a link name")
}

fn link(up: bool) -> Link {
    Link { up, ..Link::ethernet(ETH0, eth0(), Some(MacAddress([2, 0, 0, 0, 0, 1]))) }
}

fn address(text: &str) -> VirtualAddress {
    let key = AddressKey { link: eth0(), address: text.parse().expect("an address") };
    VirtualAddress { key, options: AddressOptions::default(), track: true }
}

fn router(vrid: u8, virtual_address: &str) -> RouterSettings {
    let name = Name::new(&format!("R{vrid}"));
    let vrid = Vrid::new(vrid).expect("a number");
    let addresses = vec![address(virtual_address)];
    RouterSettings { addresses, ..RouterSettings::by_default(name, vrid, eth0()) }
}

fn settings(routers: Vec<RouterSettings>) -> Settings {
    Settings { vrrp: vrrp::Settings { routers, ..Default::default() }, ..Settings::default() }
}

/// A node, its kernel, and everything that it said.
struct Bench {
    engine: Engine,
    now: Instant,
    sent: Vec<Transmit>,
    told: Vec<Event>,
    /// Steps that the kernel refuses, with this errno.
    refuses: Option<i32>,
    /// The kernel says that it did a step, and its change is not told.
    blind: bool,
    steps_taken: Vec<String>,
}

impl Bench {
    fn start(settings: Settings) -> Bench {
        let engine = Engine::start(settings, Seed::default(), Instant::ZERO);
        let mut bench = Bench {
            engine,
            now: Instant::ZERO,
            sent: Vec::new(),
            told: Vec::new(),
            refuses: None,
            blind: false,
            steps_taken: Vec::new(),
        };
        let mut actual = Actual::default();
        actual.apply(&Change::Link(link(true)));
        actual.apply(&came("10.0.0.1/24", false));
        bench.input(Input::Kernel(Change::Whole(Box::new(actual))));
        bench
    }

    fn input(&mut self, input: Input<'_>) {
        let result = self.engine.handle_input(input, self.now);
        assert_eq!(result, Ok(()));
        self.drain();
    }

    /// As the driver does: send, tell, carry out the steps, and again until nothing is left.
    fn drain(&mut self) {
        for _ in 0..100 {
            while let Some(transmit) = self.engine.poll_transmit() {
                self.sent.push(transmit);
            }
            while let Some(event) = self.engine.poll_event() {
                self.told.push(event);
            }
            let steps = self.engine.steps(self.now);
            if steps.is_empty() {
                return;
            }
            for step in steps {
                self.carry_out(step);
            }
        }
        panic!("the node never comes to rest");
    }

    fn carry_out(&mut self, step: Step) {
        self.steps_taken.push(step.to_string());
        if let Some(errno) = self.refuses {
            let refusal = Refusal { errno, message: "no".to_owned() };
            let _ = self.engine.handle_input(Input::Refused(step, refusal), self.now);
            return;
        }
        let change = step.outcome().expect("addresses and filters only");
        if !self.blind {
            let _ = self.engine.handle_input(Input::Kernel(change), self.now);
        }
        let _ = self.engine.handle_input(Input::Applied(step), self.now);
    }

    /// Lets time pass, waking the node at each of its deadlines.
    fn pass(&mut self, length: Duration) {
        let end = self.now + length;
        while let Some(deadline) = self.engine.poll_timeout().filter(|d| d.at <= end) {
            assert!(deadline.at >= self.now);
            self.now = deadline.at;
            self.engine.handle_timeout(self.now);
            self.drain();
            let next = self.engine.poll_timeout();
            assert!(next.is_none_or(|next| next.at > deadline.at), "no progress: {next:?}");
        }
        self.now = end;
    }

    fn forget(&mut self) {
        self.sent.clear();
        self.told.clear();
        self.steps_taken.clear();
    }

    fn states(&self) -> Vec<StateName> {
        let view = self.engine.status(self.now).vrrp;
        view.routers.iter().map(|router| router.standing.state).collect()
    }

    fn present(&self, text: &str) -> bool {
        let address = text.parse().expect("an address");
        self.engine.actual().addresses.contains_key(&(ETH0, address))
    }

    fn adverts(&self) -> usize {
        self.sent
            .iter()
            .filter(|t| matches!(t, Transmit::Vrrp(vrrp::Transmit::Advert { .. })))
            .count()
    }
}

fn came(text: &str, ours: bool) -> Change {
    let address = text.parse().expect("an address");
    Change::Address { link: ETH0, address, present: PresentAddress { ours, ..Default::default() } }
}

fn gone(text: &str, by_us: bool) -> Change {
    Change::AddressGone { link: ETH0, address: text.parse().expect("an address"), by_us }
}

#[test]
fn a_lone_node_waits_advertises_takes_the_address_and_then_announces_it() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    assert_eq!(bench.states(), [StateName::Backup]);
    bench.pass(Duration::from_micros(3_609_374));
    assert_eq!(bench.states(), [StateName::Backup]);
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_micros(1));
    assert_eq!(bench.states(), [StateName::Active]);
    assert!(bench.present("10.0.0.9/24"));
    let kinds: Vec<bool> = bench
        .sent
        .iter()
        .map(|t| matches!(t, Transmit::Vrrp(vrrp::Transmit::Advert { .. })))
        .collect();
    assert_eq!(kinds, [true, false, false], "one advertisement, then both forms of ARP");
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.adverts(), 11);
    // Two bursts, and one with the advertisement after two seconds.
    assert_eq!(bench.sent.len() - bench.adverts(), 22, "eleven passes of two forms");
}

#[test]
fn nothing_happens_before_the_kernel_was_seen() {
    let mut engine =
        Engine::start(settings(vec![router(51, "10.0.0.9/24")]), Seed::default(), Instant::ZERO);
    assert_eq!(engine.poll_timeout(), None);
    engine.handle_timeout(Instant::from_nanos(100_000_000_000));
    assert!(engine.poll_transmit().is_none());
    assert!(engine.poll_event().is_none());
    assert!(engine.steps(Instant::ZERO).is_empty());
}

#[test]
fn an_address_that_others_take_away_is_put_back_and_announced_again() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(20));
    bench.sent.clear();
    bench.told.clear();
    bench.input(Input::Kernel(gone("10.0.0.9/24", false)));
    assert!(bench.present("10.0.0.9/24"));
    let key = address("10.0.0.9/24").key;
    let taken = Event::AddressTaken { key, times: 1, again_in: Duration::ZERO };
    assert_eq!(bench.told, [taken]);
    assert_eq!(bench.sent.len(), 2, "both forms of ARP: {:?}", bench.sent);
}

#[test]
fn a_fight_over_an_address_is_slowed_down_to_once_a_second() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(4));
    for _ in 0..5 {
        bench.input(Input::Kernel(gone("10.0.0.9/24", false)));
        assert!(bench.present("10.0.0.9/24"));
    }
    bench.input(Input::Kernel(gone("10.0.0.9/24", false)));
    assert!(!bench.present("10.0.0.9/24"));
    bench.pass(Duration::from_millis(999));
    assert!(!bench.present("10.0.0.9/24"));
    bench.pass(Duration::from_millis(1));
    assert!(bench.present("10.0.0.9/24"));
    assert_eq!(bench.engine.status(bench.now).taken[0].times, 6);
}

#[test]
fn a_refused_step_is_tried_again_after_longer_and_longer_waits() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.refuses = Some(1);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.steps_taken.len(), 1);
    let refused = bench.engine.status(bench.now).refused;
    assert_eq!((refused.len(), refused[0].tries), (1, 1));
    bench.pass(Duration::from_secs(1 + 2 + 5 + 10));
    assert_eq!(bench.steps_taken.len(), 5);
    bench.refuses = None;
    bench.input(Input::Kernel(Change::Link(link(true))));
    assert!(bench.present("10.0.0.9/24"), "a change of the link is reason to try at once");
    assert!(bench.engine.status(bench.now).refused.is_empty());
    assert!(bench.told.iter().any(|e| matches!(e, Event::StepAccepted { tries: 5, .. })));
}

#[test]
fn a_stale_address_is_cleared_at_the_start_and_never_advertised_from() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    assert!(bench.steps_taken.is_empty());
    bench.input(Input::Kernel(came("10.0.0.9/24", false)));
    assert_eq!(bench.steps_taken, ["remove 10.0.0.9/24 on eth0"]);
    assert!(!bench.present("10.0.0.9/24"));
    bench.pass(Duration::from_secs(4));
    for transmit in &bench.sent {
        if let Transmit::Vrrp(vrrp::Transmit::Advert { source, .. }) = transmit {
            assert_eq!(*source, IpAddr::from([10, 0, 0, 1]));
        }
    }
}

#[test]
fn a_stop_says_farewell_and_then_takes_the_address_off() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(4));
    let will = bench.engine.last_will();
    assert_eq!((will.farewells.len(), will.estate.addresses.len()), (1, 1));
    bench.sent.clear();
    bench.steps_taken.clear();
    let _ = bench.engine.handle_input(Input::Command(Command::Stop), bench.now);
    let farewell = bench.engine.poll_transmit().expect("a farewell");
    let Transmit::Vrrp(vrrp::Transmit::Advert { payload, .. }) = &farewell else {
        panic!("{farewell:?}")
    };
    assert_eq!(payload[2], 0);
    let Transmit::Vrrp(farewell) = farewell else { panic!("{farewell:?}") };
    assert_eq!(will.farewells, [farewell]);
    assert!(bench.present("10.0.0.9/24"), "the farewell goes first");
    bench.drain();
    assert_eq!(bench.steps_taken, ["remove 10.0.0.9/24 on eth0"]);
    assert_eq!(bench.states(), [StateName::Initialize]);
    assert_eq!(bench.engine.poll_timeout(), None);
}

#[test]
fn a_link_that_vanishes_and_comes_back_is_followed() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(4));
    bench.input(Input::Kernel(Change::LinkGone(ETH0)));
    assert_eq!(bench.states(), [StateName::Fault]);
    let other = LinkIndex(9);
    bench.input(Input::Kernel(Change::Link(Link { index: other, ..link(true) })));
    assert_eq!(bench.states(), [StateName::Fault], "no address to advertise from yet");
    let address_back = Change::Address {
        link: other,
        address: "10.0.0.1/24".parse().expect("an address"),
        present: PresentAddress::default(),
    };
    bench.input(Input::Kernel(address_back));
    assert_eq!(bench.states(), [StateName::Backup]);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.states(), [StateName::Active]);
    let wanted = "10.0.0.9/24".parse().expect("an address");
    assert!(bench.engine.actual().addresses.contains_key(&(other, wanted)));
}

#[test]
fn a_reload_that_changes_nothing_does_nothing() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(4));
    bench.sent.clear();
    bench.told.clear();
    let before = bench.engine.status(bench.now);
    bench.input(Input::Settings(Box::new(settings(vec![router(51, "10.0.0.9/24")]))));
    assert_eq!(bench.engine.status(bench.now), before);
    assert!(bench.sent.is_empty() && bench.told.is_empty());
}

#[test]
fn changes_that_were_lost_are_made_up_for_by_reading_everything_afresh() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(20));
    bench.forget();
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(true)));
    actual.apply(&came("10.0.0.1/24", false));
    actual.apply(&came("10.9.0.77/24", true));
    bench.input(Input::Kernel(Change::Whole(Box::new(actual))));
    assert_eq!(bench.steps_taken, ["add 10.0.0.9/24 on eth0", "remove 10.9.0.77/24 on eth0"]);
    assert_eq!(bench.sent.len(), 2, "the address is announced again");
    assert_eq!(bench.states(), [StateName::Active]);
}

#[test]
fn a_step_that_is_said_to_be_done_and_is_not_to_be_seen_is_no_endless_loop() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.blind = true;
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.steps_taken.len(), 1);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.steps_taken.len(), 6, "after 1, 2, 5, 10 and 30 seconds");
    bench.blind = false;
    bench.pass(Duration::from_secs(60));
    assert!(bench.present("10.0.0.9/24"));
}

#[test]
fn an_address_that_moves_between_routers_in_a_reload_never_leaves_the_link() {
    let mut bench =
        Bench::start(settings(vec![router(51, "10.0.0.9/24"), router(52, "10.0.0.10/24")]));
    bench.pass(Duration::from_secs(20));
    bench.forget();
    let moved = settings(vec![router(51, "10.0.0.10/24"), router(52, "10.0.0.9/24")]);
    bench.input(Input::Settings(Box::new(moved)));
    assert!(bench.steps_taken.is_empty(), "{:?}", bench.steps_taken);
    assert_eq!(bench.adverts(), 2, "both say at once what they stand for");
}

#[test]
fn an_address_of_others_is_never_touched() {
    let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
    bench.input(Input::Kernel(came("10.0.0.200/24", false)));
    bench.pass(Duration::from_secs(20));
    bench.input(Input::Command(Command::Stop));
    assert!(bench.present("10.0.0.200/24") && bench.present("10.0.0.1/24"));
    assert!(!bench.present("10.0.0.9/24"));
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Takes and puts addresses, refuses, lies, flaps, reloads, and lets time pass.
fn trouble(bench: &mut Bench, dice: &mut Dice) {
    let addresses = ["10.0.0.9/24", "10.0.0.10/24", "10.0.0.1/24", "10.0.0.77/24"];
    let text = addresses[usize::try_from(dice.roll(4)).expect("a few")];
    match dice.roll(9) {
        0 => bench.refuses = (dice.roll(2) == 0).then_some(99),
        1 => bench.blind = dice.roll(4) == 0,
        2 if bench.present(text) => bench.input(Input::Kernel(gone(text, false))),
        2 | 3 => bench.input(Input::Kernel(came(text, dice.roll(2) == 0))),
        4 => bench.input(Input::Kernel(Change::Link(link(dice.roll(3) > 0)))),
        5 => {
            let routers = vec![router(51, "10.0.0.9/24"), router(52, "10.0.0.10/24")];
            let count = usize::try_from(dice.roll(3)).expect("a few");
            let asked = routers.into_iter().take(count).collect();
            bench.input(Input::Settings(Box::new(settings(asked))));
        }
        _ => {
            let millis = dice.roll(3000);
            bench.pass(Duration::from_millis(millis));
        }
    }
}

#[test]
fn after_any_trouble_the_kernel_is_as_wanted_once_it_obeys() {
    for seed in 1..=60u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = Bench::start(settings(vec![router(51, "10.0.0.9/24")]));
        for _ in 0..120 {
            trouble(&mut bench, &mut dice);
            bench.forget();
        }
        bench.refuses = None;
        bench.blind = false;
        bench.input(Input::Kernel(Change::Link(link(true))));
        bench.input(Input::Kernel(came("10.0.0.1/24", false)));
        bench.pass(Duration::from_secs(70));
        let left = steps(bench.engine.wants(), bench.engine.actual());
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        assert!(bench.engine.status(bench.now).refused.is_empty(), "seed {seed}");
        let states = bench.states();
        assert!(states.iter().all(|state| *state == StateName::Active), "seed {seed}: {states:?}");
    }
}

fn polling(routers: Vec<RouterSettings>) -> Settings {
    let polled_links = [(eth0(), mainstay_base::CarrierSource::Mii)].into();
    Settings { polled_links, ..settings(routers) }
}

fn read(present: bool) -> Input<'static> {
    Input::CarrierRead { link: eth0(), present }
}

#[test]
fn a_polled_link_is_up_if_the_kernel_and_what_was_read_say_so() {
    let mut bench = Bench::start(polling(vec![router(51, "10.0.0.9/24")]));
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.states(), [StateName::Active], "the kernel is believed until it is read");
    bench.input(read(false));
    assert_eq!(bench.states(), [StateName::Fault]);
    assert!(!bench.present("10.0.0.9/24"), "what it held is given back");
    bench.input(Input::Kernel(Change::Link(link(true))));
    assert_eq!(bench.states(), [StateName::Fault], "the kernel alone does not make it up");
    bench.input(Input::Kernel(Change::Link(link(false))));
    bench.input(read(true));
    assert_eq!(bench.states(), [StateName::Fault], "nor does a carrier alone");
    bench.input(Input::Kernel(Change::Link(link(true))));
    assert_eq!(bench.states(), [StateName::Backup]);
    bench.input(read(false));
    bench.input(read(true));
    assert_eq!(bench.states(), [StateName::Backup], "up again without a word of the kernel");
}

#[test]
fn a_link_without_carrier_stays_so_when_everything_is_read_afresh() {
    let mut bench = Bench::start(polling(vec![router(51, "10.0.0.9/24")]));
    bench.input(read(false));
    let mut actual = Actual::default();
    actual.apply(&Change::Link(link(true)));
    actual.apply(&came("10.0.0.1/24", false));
    bench.input(Input::Kernel(Change::Whole(Box::new(actual))));
    assert_eq!(bench.states(), [StateName::Fault]);
    bench.input(read(true));
    assert_eq!(bench.states(), [StateName::Backup]);
}

#[test]
fn a_link_that_is_not_polled_any_more_is_as_the_kernel_says() {
    let routers = vec![router(51, "10.0.0.9/24")];
    let mut bench = Bench::start(polling(routers.clone()));
    bench.input(read(false));
    assert_eq!(bench.states(), [StateName::Fault]);
    bench.input(Input::Settings(Box::new(settings(routers))));
    assert_eq!(bench.states(), [StateName::Backup]);
}
