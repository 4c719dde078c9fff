//! Full queues and the pace of announcements.

use super::*;
use crate::Cause;
use crate::event::StateName;

const LINK: LinkIndex = LinkIndex(2);
const GAP: Duration = Duration::from_millis(10);

fn announcement(number: usize, gap: Duration) -> Announcement {
    Announcement { link: LINK, family: Family::V4, gap, frame: number.to_be_bytes().to_vec() }
}

fn sent(out: &mut Outbox) -> usize {
    std::iter::from_fn(|| out.poll_transmit()).count()
}

#[test]
fn full_queues_drop_and_count() {
    let mut out = Outbox::default();
    for number in 0..TRANSMITS_MAX + 3 {
        out.announce(&Name::new("a"), announcement(number, Duration::ZERO), Instant::ZERO);
    }
    for _ in 0..EVENTS_MAX + 2 {
        out.tell(Event::GroupChanged {
            group: Name::new("g"),
            from: StateName::Backup,
            to: StateName::Fault,
        });
    }
    for number in 0..LANE_MAX + 2 {
        out.announce(&Name::new("a"), announcement(number, GAP), Instant::ZERO);
    }
    assert_eq!(out.dropped(), Dropped { transmits: 4, events: 2, announcements: 1 });
    assert_eq!(sent(&mut out), TRANSMITS_MAX);
    assert_eq!(std::iter::from_fn(|| out.poll_event()).count(), EVENTS_MAX);
}

#[test]
fn announcements_of_a_family_on_a_link_keep_their_distance() {
    let mut out = Outbox::default();
    let router = Name::new("a");
    for number in 0..3 {
        out.announce(&router, announcement(number, GAP), Instant::ZERO);
    }
    out.announce(&router, announcement(2, GAP), Instant::ZERO);
    assert_eq!(sent(&mut out), 1);
    let mut moments = Vec::new();
    while let Some(at) = out.next_at() {
        out.pace(at);
        assert_eq!(sent(&mut out), 1);
        moments.push(at.since(Instant::ZERO).as_millis());
    }
    assert_eq!(moments, [10, 20], "the one that waits already is not queued twice");
}

#[test]
fn links_that_are_paced_together_share_the_distance() {
    let other = LinkIndex(3);
    let alone = LinkIndex(4);
    let mut out = Outbox::default();
    let links = [LINK, other].into();
    out.pace_together(vec![PacedLinks { links, arp: Some(GAP), na: None }]);
    let router = Name::new("a");
    for link in [LINK, other, alone] {
        for number in 0..2 {
            let announcement = Announcement { link, ..announcement(number, Duration::ZERO) };
            out.announce(&router, announcement, Instant::ZERO);
        }
    }
    let six = Announcement { family: Family::V6, ..announcement(9, Duration::ZERO) };
    out.announce(&router, six, Instant::ZERO);
    assert_eq!(sent(&mut out), 4, "one of the pair of links, both of the third, one of IPv6");
    let mut turns = Vec::new();
    while let Some(at) = out.next_at() {
        out.pace(at);
        let Some(Transmit::Frame { link, .. }) = out.poll_transmit() else { panic!("one each") };
        turns.push((at.since(Instant::ZERO).as_millis(), link));
        assert_eq!(sent(&mut out), 0);
    }
    assert_eq!(turns, [(10, LINK), (20, other), (30, other)]);
}

#[test]
fn a_router_that_is_no_longer_active_announces_nothing_that_waited() {
    let mut out = Outbox::default();
    for number in 0..3 {
        out.announce(&Name::new("a"), announcement(number, GAP), Instant::ZERO);
        out.announce(&Name::new("b"), announcement(10 + number, GAP), Instant::ZERO);
    }
    sent(&mut out);
    out.silence(&Name::new("a"));
    let mut count = 0;
    while let Some(at) = out.next_at() {
        out.pace(at);
        count += sent(&mut out);
    }
    assert_eq!(count, 3);
}

#[test]
fn what_was_told_first_comes_out_first() {
    let mut out = Outbox::default();
    let told = |why: Cause| Event::StateChanged {
        router: Name::new("a"),
        from: StateName::Backup,
        to: StateName::Active,
        priority: 1,
        why,
    };
    out.tell(told(Cause::Owner));
    out.tell(told(Cause::Stopped));
    assert_eq!(out.poll_event(), Some(told(Cause::Owner)));
    assert_eq!(out.poll_event(), Some(told(Cause::Stopped)));
    assert_eq!(out.poll_event(), None);
}
