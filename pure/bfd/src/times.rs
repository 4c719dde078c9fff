//! Times as they go on the wire, the jitter between packets, and the time of detection.

use std::time::Duration;

/// A length of time as it goes on the wire: whole microseconds, as many as 32 bits hold.
pub(crate) fn micros(length: Duration) -> u32 {
    u32::try_from(length.as_micros()).unwrap_or(u32::MAX)
}

/// The length of time that a number on the wire means.
pub(crate) fn length(micros: u32) -> Duration {
    Duration::from_micros(u64::from(micros))
}

/// Both times that a system offers to its peer, in microseconds. RFC 5880 §6.8.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The least time between two of our packets.
    pub desired_tx: u32,
    /// The least time between two packets of the peer.
    pub required_rx: u32,
}

/// The time until the next packet: the interval less a part of it that differs from packet to packet, so that
/// systems do not fall into step. RFC 5880 §6.8.7 allows a quarter; a tenth parts them as well, and costs fewer
/// packets. With a multiplier of one, where no packet may come late, it is a tenth to a quarter.
pub(crate) fn jittered(interval: Duration, multiplier: u8, chance: u32) -> Duration {
    let part = |share: u32| interval / 1_024 * share;
    let chance = chance % 1_024;
    let less =
        if multiplier == 1 { interval / 10 + part(chance * 15 / 100) } else { part(chance / 10) };
    interval - less
}

/// Silence of this length is a death of who was asked: half of what was agreed, but long enough to ask. With an interval
/// of 8 ms and a multiplier of 3 that is 12 ms.
pub fn asked(interval: Duration, agreed: Duration) -> Duration {
    (agreed / 2).max(interval + interval / 4)
}

/// Packets in a second with that interval, one way, rounded up; the mean jitter is a twentieth.
pub(crate) fn packets_per_second(interval: Duration) -> u32 {
    let nanos = interval.as_nanos().max(1);
    u32::try_from(20_000_000_000_u128.div_ceil(19 * nanos)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn jitter_takes_up_to_a_tenth_and_with_one_try_at_least_that() {
        for interval in [1, 250, 4_000, 1_000_000, u32::MAX].map(length) {
            for chance in (0..1_024).chain([u32::MAX]) {
                let ordinary = jittered(interval, 3, chance);
                assert!(ordinary <= interval && ordinary * 10 >= interval * 9, "{interval:?}");
                let only = jittered(interval, 1, chance);
                assert!(only * 10 <= interval * 9 + Duration::from_nanos(9), "{interval:?}");
                assert!(only * 4 >= interval * 3, "{interval:?} {chance} {only:?}");
                assert!(!only.is_zero());
            }
        }
        assert_eq!(jittered(4 * MS, 3, 0), 4 * MS);
        assert!(jittered(4 * MS, 3, 1_023) < Duration::from_micros(3_610));
    }

    #[test]
    fn who_is_asked_has_half_of_the_agreed_time_and_a_quarter_interval_at_least() {
        assert_eq!(asked(8 * MS, 24 * MS), 12 * MS);
        assert_eq!(asked(8 * MS, 40 * MS), 20 * MS);
        assert_eq!(asked(8 * MS, 8 * MS), 10 * MS, "a multiplier of one");
    }

    #[test]
    fn the_price_is_what_is_sent_on_average() {
        assert_eq!(packets_per_second(8 * MS), 132);
        assert_eq!(packets_per_second(1_000 * MS), 2);
        assert_eq!(packets_per_second(Duration::from_secs(4_294)), 1);
    }

    #[test]
    fn times_beyond_the_wire_are_the_longest_there_is() {
        assert_eq!(micros(Duration::from_secs(5_000)), u32::MAX);
        assert_eq!(micros(Duration::from_nanos(4_000_999)), 4_000);
    }
}
