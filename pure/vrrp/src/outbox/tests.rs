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
