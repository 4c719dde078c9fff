//! Packets that the kernel did not take.

use std::io;

use mainstay_base::LinkIndex;

/// Packets that the kernel did not take.
#[derive(Debug)]
pub(crate) struct Unsent {
    /// How many.
    pub(crate) count: usize,
    /// The link of the first.
    pub(crate) link: LinkIndex,
    /// Why the first was not taken.
    pub(crate) error: io::Error,
}

/// Counts them, and remembers the first.
#[derive(Debug, Default)]
pub(super) struct Failures {
    count: usize,
    first: Option<(LinkIndex, io::Error)>,
}

impl Failures {
    /// Notes what failed of a run, by places in it, and which link each place is about.
    pub(super) fn note(
        &mut self,
        failures: Vec<(usize, io::Error)>,
        link_at: impl Fn(usize) -> Option<LinkIndex>,
    ) {
        self.count += failures.len();
        if self.first.is_none() {
            let first = failures.into_iter().next();
            self.first = first.and_then(|(at, error)| Some((link_at(at)?, error)));
        }
    }

    /// Notes packets for a link that no socket is open on.
    pub(super) fn missing(&mut self, count: usize, link: LinkIndex) {
        self.count += count;
        if self.first.is_none() {
            self.first = Some((link, io::Error::other("no socket is open on it")));
        }
    }

    /// All of them, if there are any.
    pub(super) fn all(self) -> Option<Unsent> {
        let (link, error) = self.first?;
        Some(Unsent { count: self.count, link, error })
    }
}
