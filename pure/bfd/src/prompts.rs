//! How many packets may leave out of turn: enough for a handshake, no storm.

use std::time::Duration;

use mainstay_base::Instant;

/// So many may follow each other without a pause: a session that goes up and down and up again.
const BURST: u8 = 8;

/// What is left of the allowance. One more is earned with each interval of the session, so that the rate imposed
/// is never below the rate advertised (RFC 5880 §6.8.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prompts {
    left: u8,
    earned_at: Instant,
}

impl Prompts {
    pub(crate) fn full(now: Instant) -> Prompts {
        Prompts { left: BURST, earned_at: now }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, interval: Duration, now: Instant) -> bool {
        let nanos = interval.as_nanos().max(1);
        let earned = now.since(self.earned_at).as_nanos() / nanos;
        if earned > 0 {
            let earned = u8::try_from(earned).unwrap_or(u8::MAX);
            self.left = self.left.saturating_add(earned).min(BURST);
            self.earned_at = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_with_each_interval() {
        let second = Duration::from_secs(1);
        let start = Instant::ZERO + second;
        let mut prompts = Prompts::full(start);
        let burst = (0..100).filter(|_| prompts.take(second, start)).count();
        assert_eq!(burst, usize::from(BURST));
        assert!(!prompts.take(second, start + second / 2));
        assert!(prompts.take(second, start + second));
        assert!(!prompts.take(second, start + second));
        let later = start + second * 1_000;
        let burst = (0..100).filter(|_| prompts.take(second, later)).count();
        assert_eq!(burst, usize::from(BURST), "what is not used is not saved up");
    }
}
