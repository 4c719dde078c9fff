//! A small seeded generator: the same seed gives the same numbers on every machine.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, passes the usual tests, four lines.
///
/// It may begin with a tape: while that lasts, each draw depends on two bytes of it alone, so that a fuzzer
/// that changes a byte changes one choice.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    tape: VecDeque<u8>,
}

impl Random {
    /// A generator that begins at `seed`.
    pub const fn new(seed: u64) -> Random {
        Random { state: seed, tape: VecDeque::new() }
    }

    /// A generator of its own for a part, so that one more draw there does not shift the others.
    pub fn derive(&self, label: &str) -> Random {
        let mut hash = self.state ^ 0xcbf2_9ce4_8422_2325;
        for byte in label.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut derived = Random::new(hash);
        derived.draw();
        derived
    }

    /// A generator whose first draws are on a tape.
    pub fn of_tape(tape: &[u8]) -> Random {
        Random { state: 0, tape: tape.iter().copied().collect() }
    }

    /// Whether nothing is left of the tape.
    pub fn is_off_tape(&self) -> bool {
        self.tape.is_empty()
    }

    /// Sixty-four bits.
    pub fn draw(&mut self) -> u64 {
        if let Some(first) = self.tape.pop_front() {
            let second = self.tape.pop_front().unwrap_or_default();
            self.state = u64::from(u16::from_le_bytes([first, second]));
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number of the range.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = (*range.start(), *range.end());
        let drawn = self.draw();
        (high - low).checked_add(1).map_or(drawn, |width| low + drawn % width)
    }

    /// An index below `count`, which is not zero.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).expect("a count of things in memory fits 64 bits");
        usize::try_from(self.within(0..=count - 1)).expect("it is less than a count in memory")
    }

    /// A byte of the range.
    pub fn byte(&mut self, range: RangeInclusive<u8>) -> u8 {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        u8::try_from(self.within(range)).expect("the range is one of bytes")
    }

    /// True with so many chances in a million.
    pub fn chance(&mut self, per_million: u32) -> bool {
        self.within(0..=999_999) < u64::from(per_million)
    }

    /// One of the things, which are not none.
    pub fn choose<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// A length of time between two, both included, in nanoseconds.
    pub fn duration(&mut self, low: Duration, high: Duration) -> Duration {
        let nanos = |length: Duration| u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.within(nanos(low)..=nanos(high)))
    }

    /// The things in another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.draw(), 6_457_827_717_110_365_317);
        assert_eq!(random.draw(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_number_of_a_range_comes_up_and_no_other() {
        let mut random = Random::new(7);
        let mut seen = [0_u32; 4];
        for _ in 0..400 {
            seen[usize::from(random.byte(3..=6) - 3)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    }
}
