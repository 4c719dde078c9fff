//! Many peers at once: one tick, one rate.

use super::*;

/// A node with so many peers that are all up and answer.
struct Crowd {
    sessions: Sessions,
    peers: Vec<Peer>,
    now: Instant,
    /// The moments at which packets left.
    sent: Vec<Instant>,
    /// Packets on their way back: each is answered as a peer of ours would.
    heard: Vec<(Peer, Control)>,
    downs: usize,
    /// This one has died.
    silent: Option<Peer>,
}

impl Crowd {
    fn of(count: u8) -> Crowd {
        Crowd::held(count, &plain())
    }

    fn held(count: u8, settings: &SessionSettings) -> Crowd {
        let now = Instant::ZERO + Duration::from_secs(1);
        let mut crowd = Crowd {
            sessions: Sessions::start(Seed(3), now),
            peers: Vec::new(),
            now,
            sent: Vec::new(),
            heard: Vec::new(),
            downs: 0,
            silent: None,
        };
        for n in 0..count {
            let peer = Peer { remote: [10, 0, 0, n].into(), ..peer_of(0) };
            crowd.peers.push(peer);
            let watch = Input::Watch { peer, settings: settings.clone() };
            crowd.sessions.handle_input(watch, now).expect("there is room");
            crowd.drain();
        }
        crowd
    }

    /// Every peer says the same as it hears: the same times, and Final to Poll.
    fn drain(&mut self) {
        while let Some(transmit) = self.sessions.poll_transmit() {
            self.sent.push(self.now);
            let heard = words(&transmit.payload);
            let state = match heard.state {
                State::Down => State::Init,
                State::Init | State::Up => State::Up,
                State::AdminDown => State::Down,
            };
            let answer = Control {
                state,
                final_bit: heard.poll,
                poll: false,
                my_discriminator: 9,
                your_discriminator: heard.my_discriminator,
                ..heard
            };
            let peer = Peer { link: LINK, local: transmit.source, remote: transmit.destination };
            if self.silent != Some(peer) {
                self.heard.push((peer, answer));
            }
        }
        while let Some(event) = self.sessions.poll_event() {
            self.downs += usize::from(matches!(event, Event::Down { .. }));
        }
    }

    fn pass(&mut self, length: Duration) {
        let until = self.now + length;
        loop {
            for (peer, answer) in std::mem::take(&mut self.heard) {
                let payload = bytes(&answer);
                let packet = Received {
                    source: peer.remote,
                    destination: peer.local,
                    ..received(0, &payload)
                };
                // Whoever was just taken down refuses the answer, and counts it.
                let _ = self.sessions.handle_input(Input::Received(packet), self.now);
                self.drain();
            }
            let Some(next) = self.sessions.poll_timeout().filter(|next| next.at <= until) else {
                break;
            };
            self.now = self.now.max(next.at);
            self.sessions.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }
}

#[test]
fn packets_to_all_peers_leave_at_the_same_moment() {
    let mut crowd = Crowd::of(10);
    crowd.pass(MS * 200);
    crowd.sent.clear();
    crowd.pass(MS * 1_000);
    let mut moments = crowd.sent.clone();
    moments.dedup();
    assert!(moments.len() >= 250, "{} ticks in a second", moments.len());
    assert_eq!(crowd.sent.len(), moments.len() * 10, "each tick speaks to all");
}

#[test]
fn two_hundred_peers_share_the_rate_and_nobody_dies_of_it() {
    let mut crowd = Crowd::of(200);
    crowd.pass(Duration::from_secs(10));
    let up = crowd.sessions.views().filter(|view| view.state == State::Up).count();
    assert_eq!((up, crowd.downs), (200, 0));
    let view = crowd.sessions.view_of(&crowd.peers[0]).expect("it is there");
    assert_eq!(view.transmit_interval, Some(MS * 64));
    assert_eq!(view.detection, Some(MS * 192));
    crowd.sent.clear();
    crowd.pass(Duration::from_secs(10));
    let each_second = crowd.sent.len() / 10;
    assert!(each_second <= 4_000, "{each_second} packets in a second");
    assert!(each_second >= 3_000, "{each_second} packets in a second");
    let price: u32 = crowd.sessions.views().map(|view| view.packets_per_second).sum();
    assert!((6_500..8_000).contains(&price), "the price is both ways: {price}");
}

#[test]
fn two_hundred_peers_that_are_asked_before_they_are_judged_share_it_as_well() {
    let by_rhythm = SessionSettings { by_rhythm: true, ..SessionSettings::default() };
    let mut crowd = Crowd::held(200, &by_rhythm);
    crowd.pass(Duration::from_secs(20));
    let up = crowd.sessions.views().filter(|view| view.state == State::Up).count();
    assert_eq!((up, crowd.downs), (200, 0));
    for peer in &crowd.peers {
        let view = crowd.sessions.view_of(peer).expect("it is there");
        assert_eq!(view.transmit_interval, Some(MS * 64));
        assert_eq!(view.detection, Some(MS * 96), "half of three intervals");
    }
    crowd.sent.clear();
    crowd.pass(Duration::from_secs(10));
    let each_second = crowd.sent.len() / 10;
    assert!((3_000..=4_000).contains(&each_second), "{each_second} packets in a second");
    assert_eq!(crowd.downs, 0);
    let died = crowd.peers[7];
    crowd.silent = Some(died);
    crowd.sent.clear();
    crowd.pass(MS * 200);
    let up = crowd.sessions.views().filter(|view| view.state == State::Up).count();
    assert_eq!((up, crowd.downs), (199, 1), "one that dies is missed, and no other");
    let asked = crowd.sessions.views().map(|view| view.counters.asked).max();
    assert!(asked.is_some_and(|asked| (2..=8).contains(&asked)), "{asked:?} questions");
    assert!(crowd.sent.len() <= 1_000, "{} packets in 200 ms", crowd.sent.len());
}

#[test]
fn when_most_have_gone_the_rest_is_watched_closely_again() {
    let mut crowd = Crowd::of(40);
    crowd.pass(Duration::from_secs(5));
    let interval = |crowd: &Crowd, n: usize| {
        crowd.sessions.view_of(&crowd.peers[n]).expect("it is there").transmit_interval
    };
    assert_eq!(interval(&crowd, 0), Some(MS * 16));
    for peer in crowd.peers.split_off(5) {
        crowd.sessions.handle_input(Input::Unwatch { peer }, crowd.now).expect("it is there");
        crowd.drain();
    }
    crowd.pass(Duration::from_secs(5));
    assert_eq!(interval(&crowd, 0), Some(MS * 4));
    assert_eq!(crowd.sessions.views().count(), 5);
    let other = Input::Limit { packets_per_second_max: 50 };
    crowd.sessions.handle_input(other, crowd.now).expect("always possible");
    crowd.pass(Duration::from_secs(5));
    assert_eq!(interval(&crowd, 0), Some(MS * 128), "fifty in a second for five");
}

#[test]
fn who_falls_in_step_with_a_packet_that_is_due_now_speaks_with_it() {
    let mut crowd = Crowd::of(1);
    // The moment of the next packet has come, and it has not left yet.
    crowd.now = crowd.sessions.poll_timeout().expect("a packet is due").at;
    let peer = Peer { remote: [10, 0, 0, 9].into(), ..peer_of(0) };
    let watch = Input::Watch { peer, settings: plain() };
    crowd.sessions.handle_input(watch, crowd.now).expect("there is room");
    crowd.drain();
    crowd.sent.clear();
    crowd.sessions.handle_timeout(crowd.now);
    crowd.drain();
    assert_eq!(crowd.sent, [crowd.now; 2], "both in one turn");
    let next = crowd.sessions.poll_timeout().expect("both speak on");
    assert!(next.at > crowd.now);
    crowd.sent.clear();
    crowd.sessions.handle_timeout(next.at);
    crowd.drain();
    assert_eq!(crowd.sent.len(), 2, "and both in the next one");
}

#[test]
fn in_a_turn_those_of_higher_rank_are_told_last() {
    let mut crowd = Crowd::of(4);
    crowd.pass(Duration::from_secs(2));
    let told = |crowd: &mut Crowd| {
        crowd.heard.clear();
        crowd.now = crowd.sessions.poll_timeout().expect("they speak").at;
        crowd.sessions.handle_timeout(crowd.now);
        crowd.drain();
        let told: Vec<Peer> = crowd.heard.iter().map(|(peer, _)| *peer).collect();
        let place = |peer: &Peer| crowd.peers.iter().position(|other| other == peer);
        told.iter().filter_map(place).collect::<Vec<usize>>()
    };
    assert_eq!(told(&mut crowd), [0, 1, 2, 3]);
    for (place, rank) in [(0, 200), (2, 150), (0, 100)] {
        let peer = crowd.peers[place];
        crowd.sessions.handle_input(Input::Rank { peer, rank }, crowd.now).expect("never refused");
    }
    assert_eq!(told(&mut crowd), [1, 3, 2, 0], "a rank is never lowered");
    let gone = crowd.peers[2];
    crowd.sessions.handle_input(Input::LinkGone(LinkIndex(9)), crowd.now).expect("another link");
    crowd.sessions.handle_input(Input::Unwatch { peer: gone }, crowd.now).expect("it is there");
    crowd.pass(Duration::from_secs(2));
    assert_eq!(told(&mut crowd), [1, 3, 0]);
}
