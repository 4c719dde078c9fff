//! When the kernel received a packet, as our clock shows it.
//!
//! The kernel stamps packets with the wall clock, which somebody may set between the stamp and our reading of
//! it. A stamp from before that moment tells nothing any more; the packet then counts as received when it is
//! read, so that a clock that is set makes no peer look silent.

use mainstay_base::Instant;
use rustix::time::Timespec;

use crate::clock::Reading;
use crate::control::Control;
use crate::netlink::array;

/// Turns stamps into moments, and knows since when they can be believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    clocks: Reading,
    believed_since: Instant,
}

impl Stamps {
    pub(crate) fn start() -> Stamps {
        Stamps { clocks: Reading::take(), believed_since: Instant::ZERO }
    }

    /// Reads the clocks again, after packets were taken from the kernel.
    pub(crate) fn refresh(&mut self) {
        self.read(Reading::take());
    }

    fn read(&mut self, clocks: Reading) {
        if clocks.was_set_since(self.clocks) {
            self.believed_since = clocks.at();
        }
        self.clocks = clocks;
    }

    /// When the packet of these control messages was received. Without a stamp (none is given while stamping is
    /// being switched on) it is now.
    pub(crate) fn received_at(&self, control: &Control) -> Instant {
        let stamp = control.messages().find_map(|(level, kind, value)| {
            let wanted = (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS);
            ((level, kind) == wanted).then_some(value).and_then(timespec)
        });
        stamp.map_or(self.clocks.at(), |stamp| self.moment_of(stamp))
    }

    fn moment_of(&self, stamp: Timespec) -> Instant {
        let at = self.clocks.received_at(stamp);
        if at < self.believed_since { self.clocks.at() } else { at }
    }
}

#[allow(clippy::useless_conversion, reason = "a long is narrower on 32-bit machines")]
fn timespec(value: &[u8]) -> Option<Timespec> {
    const WORD: usize = size_of::<libc::c_long>();
    let part = |start| array(value, start).map(libc::c_long::from_ne_bytes);
    Some(Timespec { tv_sec: i64::from(part(0)?), tv_nsec: i64::from(part(WORD)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const MS: u64 = 1_000_000;

    fn stamp(nanos: u64) -> Timespec {
        let part = |n: u64| i64::try_from(n).expect("small");
        Timespec { tv_sec: part(nanos / SECOND), tv_nsec: part(nanos % SECOND) }
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_wall_clock_that_is_set_makes_no_packet_look_old() {
        for set_to in [5000 * SECOND, 4990 * SECOND, 5004 * SECOND, 5_000_000 * SECOND] {
            let mut stamps = Stamps {
                clocks: Reading::of(100 * SECOND, 5000 * SECOND),
                believed_since: Instant::ZERO,
            };
            // A packet comes in 10 ms later; then the clock is set; then the packet is read.
            let packet = stamp(5000 * SECOND + 10 * MS);
            let moved = set_to != 5000 * SECOND;
            stamps.read(Reading::of(100 * SECOND + 20 * MS, set_to + 20 * MS));
            let expected = if moved { 100 * SECOND + 20 * MS } else { 100 * SECOND + 10 * MS };
            assert_eq!(stamps.moment_of(packet), at(expected), "set to {set_to}");
            // Another socket's packet of before is read a moment later, with clocks that agree again.
            stamps.read(Reading::of(100 * SECOND + 21 * MS, set_to + 21 * MS));
            let shown = stamps.moment_of(packet);
            let expected = if moved { 100 * SECOND + 21 * MS } else { 100 * SECOND + 10 * MS };
            assert_eq!(shown, at(expected), "set to {set_to}");
            // What comes in after that is believed as ever.
            let later = stamp(set_to + 40 * MS);
            stamps.read(Reading::of(100 * SECOND + 50 * MS, set_to + 50 * MS));
            assert_eq!(stamps.moment_of(later), at(100 * SECOND + 40 * MS), "set to {set_to}");
        }
    }

    #[test]
    fn a_packet_without_a_stamp_was_received_now() {
        let stamps =
            Stamps { clocks: Reading::of(7 * SECOND, SECOND), believed_since: Instant::ZERO };
        assert_eq!(stamps.received_at(&Control::empty()), at(7 * SECOND));
        let mut broken = Control::empty();
        broken.push(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[0; 3]);
        assert_eq!(stamps.received_at(&broken), at(7 * SECOND));
    }
}
