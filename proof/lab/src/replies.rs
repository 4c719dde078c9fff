//! What a client saw: who answered when, the longest gap, and the strip that shows both.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One request and what came of it; moments count from the start of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// When it was sent.
    pub asked: Duration,
    /// When it was answered and by which host (its place in the cluster); none while it waits.
    pub answer: Option<Answer>,
    /// Whether its connection was reset: begun at one host, it went on at another, which does not know it.
    pub reset: bool,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it arrived.
    pub at: Duration,
    /// The host that gave it, by its place in the cluster.
    pub by: usize,
}

/// The longest time without an answer in some window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// Its length: from one answer to the next.
    pub length: Duration,
    /// When it began, from the start of the record.
    pub from: Duration,
    /// Requests sent in it that were never answered.
    pub lost: usize,
    /// Those of them whose connections were reset.
    pub reset: usize,
    /// Who answered last before it.
    pub before: Option<usize>,
    /// Who answered first after it.
    pub after: Option<usize>,
}

/// One cell of a strip: what a client saw in one slice of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// This host answered (the last one that did, if there were several).
    Answered(usize),
    /// This host answered, but not every request.
    Interrupted(usize),
    /// Requests were sent and none was answered.
    Silent,
    /// Nothing was asked.
    Nothing,
}

/// A record that a probe writes while others read it.
#[derive(Clone, Debug)]
pub struct Record {
    started: Instant,
    replies: Arc<Mutex<Vec<Reply>>>,
}

impl Record {
    /// An empty record whose moments count from `started`.
    pub fn new(started: Instant) -> Record {
        Record { started, replies: Arc::default() }
    }

    /// The moment `at` as the record counts.
    pub fn moment(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.started)
    }

    /// Notes a request sent at `at`; returns its number.
    pub fn ask(&self, at: Instant) -> usize {
        let mut replies = self.replies();
        replies.push(Reply { asked: self.moment(at), answer: None, reset: false });
        replies.len() - 1
    }

    /// Notes that the request `number` was answered by host `by` at `at`; the first answer stays.
    pub fn answer(&self, number: usize, by: usize, at: Instant) {
        let answer = Answer { at: self.moment(at), by };
        if let Some(reply) = self.replies().get_mut(number) {
            reply.answer.get_or_insert(answer);
        }
    }

    /// Notes that the connection of the request `number` was reset.
    pub fn reset(&self, number: usize) {
        if let Some(reply) = self.replies().get_mut(number) {
            reply.reset = true;
        }
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Reply> {
        self.replies().clone()
    }

    /// Everything that was asked since a moment; who measures finely takes no more than that, since
    /// the instrument waits meanwhile.
    pub fn since(&self, from: Duration) -> Vec<Reply> {
        let replies = self.replies();
        replies[replies.partition_point(|reply| reply.asked < from)..].to_vec()
    }

    /// Who answered last, and when.
    pub fn last_answer(&self) -> Option<Answer> {
        self.replies().iter().rev().find_map(|reply| reply.answer)
    }

    fn replies(&self) -> MutexGuard<'_, Vec<Reply>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest stretch without an answer that touches the window.
///
/// Counted as a client counts it, from the arrival of one answer to the arrival of the next. A
/// stretch that no answer has ended yet ends with the window; one that no answer began begins
/// with it.
pub fn longest_gap(replies: &[Reply], from: Duration, to: Duration) -> Gap {
    let mut answers: Vec<Answer> = replies.iter().filter_map(|reply| reply.answer).collect();
    answers.sort_by_key(|answer| answer.at);
    let first = answers.partition_point(|answer| answer.at < from);
    let last_before = first.checked_sub(1).map(|place| answers[place]);
    let mut began = (last_before.map_or(from, |answer| answer.at), last_before.map(|a| a.by));
    let mut longest = Gap { from, ..Gap::default() };
    let inside = answers[first..].iter().map(|answer| (answer.at, Some(answer.by)));
    for ended in inside.chain([(to, None)]) {
        let length = ended.0.saturating_sub(began.0);
        if began.0 < to && length > longest.length {
            longest =
                Gap { length, from: began.0, before: began.1, after: ended.1, ..Gap::default() };
        }
        began = ended;
    }
    let unanswered = || unanswered(replies, longest.from, longest.from + longest.length);
    (longest.lost, longest.reset) =
        (unanswered().count(), unanswered().filter(|r| r.reset).count());
    longest
}

/// Requests sent in the window that were never answered.
pub fn lost(replies: &[Reply], from: Duration, to: Duration) -> usize {
    unanswered(replies, from, to).count()
}

fn unanswered(replies: &[Reply], from: Duration, to: Duration) -> impl Iterator<Item = &Reply> {
    let inside = move |reply: &&Reply| reply.asked >= from && reply.asked < to;
    replies.iter().filter(inside).filter(|reply| reply.answer.is_none())
}

/// The window cut into `cells` slices of equal length, each with what the client saw in it.
///
/// A request belongs to the slice in which it was sent, so that a silent slice means: whoever
/// asked now, asked in vain.
pub fn strip(replies: &[Reply], from: Duration, to: Duration, cells: usize) -> Vec<Cell> {
    let mut strip = vec![Cell::Nothing; cells];
    let span = to.saturating_sub(from).as_nanos().max(1);
    let first = replies.partition_point(|reply| reply.asked < from);
    for reply in replies[first..].iter().take_while(|reply| reply.asked < to) {
        let place = (reply.asked - from).as_nanos() * cells as u128 / span;
        let Some(cell) = usize::try_from(place).ok().and_then(|place| strip.get_mut(place)) else {
            continue;
        };
        *cell = match (reply.answer, *cell) {
            (Some(answer), Cell::Nothing | Cell::Answered(_)) => Cell::Answered(answer.by),
            (Some(answer), Cell::Silent | Cell::Interrupted(_)) => Cell::Interrupted(answer.by),
            (None, Cell::Nothing | Cell::Silent) => Cell::Silent,
            (None, Cell::Answered(by) | Cell::Interrupted(by)) => Cell::Interrupted(by),
        };
    }
    strip
}

#[cfg(test)]
mod tests;
