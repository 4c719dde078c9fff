//! Strangers, forgers and sessions that flap: what they cannot bring about.

use super::*;

/// A node that hears what the test says.
struct Lone {
    watch: Watch,
    settings: Settings,
    actual: Actual,
    now: Instant,
}

impl Lone {
    fn start() -> Lone {
        let now = Instant::ZERO + Duration::from_secs(10);
        let mut actual = Actual::default();
        actual.apply(&Change::Link(link(true)));
        for own in ["10.0.0.1/24", "fe80::1/64"] {
            let own = own.parse().expect("an address");
            actual.addresses.insert((ETH0, own), PresentAddress::default());
        }
        let mut settings = settings(100);
        let mut second = router(100, "fe80::100/64");
        second.family = Family::V6;
        settings.vrrp.routers.push(second);
        Lone { watch: Watch::start(&settings, Seed(1), now), settings, actual, now }
    }

    fn knock(&mut self, from: &str, ttl: u8) -> Result<(), bfd::Reject> {
        let payload = knock();
        let destination = if from.contains(':') { ip("fe80::1") } else { ip("10.0.0.1") };
        let source = ip(from);
        let packet = bfd::Received {
            link: ETH0,
            source,
            destination,
            source_port: 50_000,
            ttl,
            payload: &payload,
        };
        self.watch.receive(packet, &self.settings, &self.actual, self.now)
    }

    fn advert(&mut self, from: IpAddr) {
        self.watch.hear_advert((ETH0, from, 100), &self.settings, &self.actual, self.now);
    }

    /// The peer says that it is in that state; its discriminator is 9.
    fn say(&mut self, remote: &str, state: u8) {
        self.say_with(remote, state, 4_000);
    }

    /// The same, and that it speaks once in so many microseconds.
    fn say_with(&mut self, remote: &str, state: u8, interval: u32) {
        let peer = Peer { link: ETH0, local: ip("10.0.0.1"), remote: ip(remote) };
        let view = self.watch.sessions.view_of(&peer).expect("there is a session");
        let mut payload = knock();
        payload[1] = state << 6;
        payload[8..12].copy_from_slice(&view.local_discriminator.to_be_bytes());
        payload[12..16].copy_from_slice(&interval.to_be_bytes());
        payload[16..20].copy_from_slice(&4_000_u32.to_be_bytes());
        let packet = bfd::Received {
            link: ETH0,
            source: ip(remote),
            destination: ip("10.0.0.1"),
            source_port: 50_000,
            ttl: 255,
            payload: &payload,
        };
        self.watch.receive(packet, &self.settings, &self.actual, self.now).expect("it is heard");
    }

    /// The peer comes up as a peer of ours does.
    fn rise(&mut self, remote: &str) {
        self.knock(remote, 255).expect("it is near");
        self.say(remote, 2);
        self.say(remote, 3);
    }

    fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(next) = self.watch.poll_timeout().filter(|next| next.at <= until) {
            self.now = self.now.max(next.at);
            self.watch.handle_timeout(self.now);
            while self.watch.poll_transmit().is_some() {}
        }
        self.now = until;
    }

    fn news(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.watch.next_news())
            .filter(|news| !matches!(news, News::Event(_)))
            .collect()
    }

    fn sent(&mut self) -> usize {
        std::iter::from_fn(|| self.watch.poll_transmit()).count()
    }
}

#[test]
fn a_stranger_from_far_away_is_not_answered() {
    let mut lone = Lone::start();
    for (from, ttl, why) in [
        ("10.0.0.7", 254, bfd::Reject::Ttl),
        ("10.0.0.7", 1, bfd::Reject::Ttl),
        ("10.0.1.7", 255, bfd::Reject::Unwatched),
        ("203.0.113.9", 255, bfd::Reject::Unwatched),
        ("2001:db8::7", 255, bfd::Reject::Unwatched),
        ("10.0.0.1", 255, bfd::Reject::Unwatched),
        ("fe80::1", 255, bfd::Reject::Unwatched),
        ("224.0.0.18", 255, bfd::Reject::Unwatched),
        ("0.0.0.0", 255, bfd::Reject::Unwatched),
    ] {
        assert_eq!(lone.knock(from, ttl), Err(why), "{from} {ttl}");
    }
    assert_eq!((lone.watch.watched.len(), lone.sent()), (0, 0));
    assert_eq!(lone.watch.rejects().iter().map(|(_, count)| count).sum::<u64>(), 9);
    assert_eq!(lone.knock("10.0.0.7", 255), Ok(()));
    assert_eq!(lone.knock("fe80::7", 255), Ok(()));
    assert_eq!(lone.sent(), 2, "one answer to each");
}

#[test]
fn a_stranger_is_not_answered_where_no_router_is() {
    let mut lone = Lone::start();
    lone.settings.vrrp.routers.retain(|router| router.family == Family::V6);
    assert_eq!(lone.knock("10.0.0.7", 255), Err(bfd::Reject::Unwatched));
    assert_eq!(lone.knock("fe80::7", 255), Ok(()));
}

#[test]
fn a_broken_packet_does_not_make_a_stranger_known() {
    let mut lone = Lone::start();
    let payload = [0; 24];
    let (source, destination) = (ip("10.0.0.7"), ip("10.0.0.1"));
    let packet = bfd::Received {
        link: ETH0,
        source,
        destination,
        source_port: 1,
        ttl: 255,
        payload: &payload,
    };
    let outcome = lone.watch.receive(packet, &lone.settings, &lone.actual, lone.now);
    assert_eq!(outcome, Err(bfd::Reject::Version));
    assert!(lone.watch.watched.is_empty());
}

#[test]
fn advertisements_of_a_whole_network_do_not_fill_the_node() {
    let mut lone = Lone::start();
    lone.rise("10.0.0.7");
    lone.news();
    for n in 0..2_000_u16 {
        let [high, low] = n.to_be_bytes();
        let link_local = IpAddr::from([0xfe80, 0, 0, 0, 0, 0, u16::from(high), 2 + u16::from(low)]);
        lone.advert(link_local);
        lone.now = lone.now + Duration::from_micros(1);
    }
    assert_eq!(lone.watch.watched.len(), PEERS_PER_LINK_MAX);
    assert_eq!(lone.news(), [], "whoever is up stays");
    lone.pass(Duration::from_secs(80));
    assert!(lone.watch.watched.is_empty(), "and the quiet are forgotten");
    assert_eq!(lone.watch.poll_timeout(), None);
}

#[test]
fn a_session_that_flaps_is_believed_ever_more_slowly() {
    let mut lone = Lone::start();
    let mut losses = 0;
    let start = lone.now;
    while lone.now.since(start) < Duration::from_secs(60) {
        lone.rise("10.0.0.7");
        lone.pass(MS * 100);
        let lost = |news: &&News| matches!(news, News::Lost { .. });
        losses += lone.news().iter().filter(lost).count();
    }
    assert!(losses <= 6, "{losses} of some six hundred falls in a minute");
    lone.rise("10.0.0.7");
    let view = &lone.watch.views(&lone.actual)[0];
    assert!(view.held_until.is_some_and(|until| until > lone.now + Duration::from_secs(30)));
}

#[test]
fn a_session_that_stays_up_is_believed_in_the_end() {
    let mut lone = Lone::start();
    for _ in 0..3 {
        lone.rise("10.0.0.7");
        lone.pass(MS * 100);
    }
    lone.news();
    lone.rise("10.0.0.7");
    assert_eq!(lone.news(), [], "not yet");
    for _ in 0..1_100 {
        lone.pass(MS * 4);
        lone.say("10.0.0.7", 3);
    }
    let peer = Peer { link: ETH0, local: ip("10.0.0.1"), remote: ip("10.0.0.7") };
    assert_eq!(lone.news(), [News::Watched(peer, MS * 12)]);
    lone.pass(MS * 20);
    assert!(matches!(lone.news()[..], [News::Lost { .. }]), "and its death counts again");
}

#[test]
fn time_that_leaps_is_judged_once() {
    let mut lone = Lone::start();
    lone.rise("10.0.0.7");
    lone.rise("10.0.0.8");
    lone.news();
    lone.now = lone.now + Duration::from_secs(3_600);
    lone.watch.handle_timeout(lone.now);
    let unwatched = |news: &News| matches!(news, News::Unwatched(_));
    let news = lone.news();
    assert!(news.len() == 2 && news.iter().all(unwatched), "{news:?}");
    lone.watch.handle_timeout(lone.now);
    lone.pass(MS * 500);
    assert_eq!(lone.news(), []);
}

#[test]
fn a_host_that_is_cut_off_again_and_again_is_believed_each_time() {
    let mut lone = Lone::start();
    for _ in 0..50 {
        lone.rise("10.0.0.7");
        lone.pass(MS * 900);
        let news = lone.news();
        assert!(matches!(news[..], [News::Watched(..), News::Lost { .. }]), "{news:?}");
    }
}

#[test]
fn a_peer_that_comes_back_is_tried_at_once_though_it_was_given_up() {
    let mut lone = Lone::start();
    lone.advert(ip("10.0.0.7"));
    for _ in 0..50 {
        lone.pass(Duration::from_secs(1));
        lone.advert(ip("10.0.0.7"));
    }
    let peer = Peer { link: ETH0, local: ip("10.0.0.1"), remote: ip("10.0.0.7") };
    let interval =
        |lone: &Lone| lone.watch.sessions.view_of(&peer).and_then(|view| view.transmit_interval);
    assert!(interval(&lone) >= Some(Duration::from_secs(16)), "{:?}", interval(&lone));
    lone.pass(Duration::from_secs(15));
    lone.advert(ip("10.0.0.7"));
    assert_eq!(interval(&lone), Some(Duration::from_secs(1)));
}

#[test]
fn a_peer_that_may_be_silent_for_longer_than_an_active_is_not_counted_on() {
    let mut lone = Lone::start();
    lone.rise("10.0.0.7");
    assert!(matches!(lone.news()[..], [News::Watched(..)]));
    // Three advertisements and the skew, which is less than one interval more.
    lone.say_with("10.0.0.7", 3, 1_000_000);
    assert!(matches!(lone.news()[..], [News::Watched(..)]), "3 s are less");
    lone.say_with("10.0.0.7", 3, 1_400_000);
    assert!(matches!(lone.news()[..], [News::Unwatched(..)]), "advertisements know it earlier");
    lone.say_with("10.0.0.7", 3, u32::MAX);
    lone.say_with("10.0.0.7", 1, u32::MAX);
    assert_eq!(lone.news(), [], "neither its life nor its end");
    lone.rise("10.0.0.8");
    assert!(matches!(lone.news()[..], [News::Watched(..)]));
    lone.say_with("10.0.0.8", 3, u32::MAX);
    assert!(matches!(lone.news()[..], [News::Unwatched(..)]));
    lone.say_with("10.0.0.8", 3, 4_000);
    assert!(matches!(lone.news()[..], [News::Watched(..)]), "it speaks often again");
}
