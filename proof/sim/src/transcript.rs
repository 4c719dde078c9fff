//! What happened in a run, line by line; the same seed gives the same lines.

use std::fmt;

use mainstay_base::Instant;

/// The lines of a run, or only their sum when nobody will read them.
#[derive(Clone, Debug)]
pub struct Transcript {
    keep: bool,
    lines: Vec<String>,
    sum: u64,
}

impl Transcript {
    /// `keep`: somebody will read the lines.
    pub fn start(keep: bool) -> Transcript {
        Transcript { keep, lines: Vec::new(), sum: 0xcbf2_9ce4_8422_2325 }
    }

    /// Adds a line.
    pub fn tell(&mut self, now: Instant, what: fmt::Arguments<'_>) {
        let line = format!("{now} {what}");
        for byte in line.bytes() {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.keep {
            self.lines.push(line);
        }
    }

    /// Takes a packet of a session into the sum; there are far too many of them to be lines.
    pub fn count(&mut self, now: Instant, node: usize, payload: &[u8]) {
        let mut fold = |byte: u8| {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        };
        now.as_nanos().to_be_bytes().into_iter().for_each(&mut fold);
        node.to_be_bytes().into_iter().for_each(&mut fold);
        payload.iter().copied().for_each(fold);
    }

    /// A number that stands for all lines (FNV-1a).
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}
