//! How the silence of a peer is judged: asked first, and then held against what is borne.

use std::time::Duration;

use mainstay_base::Instant;

use super::{Occasion, Session};
use crate::DownCause;
use crate::control::Control;
use crate::inquiry::Inquiry;
use crate::outbox::Outbox;
use crate::rhythm::Pace;
use crate::times::{self, length};
use crate::view::State;

/// Waking so late is as good as in time: a packet of the peer may be late by more.
const LATE_FREE: Duration = Duration::from_micros(500);

impl Session {
    /// Asks a peer that is silent for longer than it should be; true if the state is another one. Late by as much as
    /// silence is borne, this node has been silent itself for so long that the peer's silence says nothing.
    pub(crate) fn ask(&mut self, now: Instant, out: &mut Outbox) -> bool {
        let Some(due) = self.ask_at().filter(|at| *at <= now) else { return false };
        let pace = self.pace();
        if let Some(inquiry) = &mut self.silence.inquiry {
            inquiry.repeat(pace, now);
        } else {
            let late = now.since(due);
            self.record.late_max = self.record.late_max.max(late);
            if late >= self.record.borne {
                self.fall_silent(DownCause::Overslept, late, now, out);
                return true;
            }
            let is_first = !std::mem::replace(&mut self.is_awake, true);
            let late = if is_first { pace.detection } else { late };
            self.silence.inquiry = Some(Inquiry::begin(pace, late, now));
        }
        self.record.counters.asked += 1;
        out.ask(self.peer);
        if self.remote.required_rx > 0 {
            self.send(Occasion::Question, now, out);
        }
        false
    }

    /// How far from the sign of life before a packet comes that is received now, if that says anything of the peer's rhythm.
    pub(super) fn distance(&self, now: Instant) -> Option<Duration> {
        let before = self.last_heard.filter(|_| self.state == State::Up)?;
        let asked = self.silence.inquiry.map(|inquiry| inquiry.distance(self.pace(), now));
        let distance = now.since(before);
        Some(asked.map_or(distance, |asked| asked.min(distance)))
    }

    /// Whether a packet comes beside those in turn, at the pace that was kept before: the answer to a poll that no silence
    /// asked for. Nobody else hears it, and silence counts from the packets that all hear: a Backup that had an answer
    /// a moment before the death of an Active would judge up to an interval after those with less right.
    pub(super) fn is_aside(&self, control: &Control, before: Pace) -> bool {
        let is_steady = self.state == State::Up && control.state == State::Up;
        let was_asked = self.silence.inquiry.is_some() || self.silence.patience.is_some();
        let is_at_pace = self.settings.by_rhythm && self.pace() == before;
        control.final_bit && is_steady && is_at_pace && !was_asked
    }

    /// The kernel of the peer answered. It counts only for who was asked.
    pub(crate) fn answered(&mut self, now: Instant) {
        if let Some(inquiry) = &mut self.silence.inquiry {
            inquiry.answer(now);
            self.record.counters.answered += 1;
        }
    }

    /// Judges the silence of the peer; true if the state is another one, or if it is a stranger from now on: one
    /// that says it is down and then falls silent may come back without any memory of us.
    ///
    /// Whoever was late to judge gives the peer the same time once more, as it may have been the whole machine
    /// that stood still. Late by the detection time or more, it has been silent itself for so long that the
    /// peer's silence says nothing. Nor does it if packets came meanwhile that do not bear our key: while one end has
    /// another key than before and the other not yet, both live.
    pub(crate) fn judge(&mut self, now: Instant, out: &mut Outbox) -> bool {
        let Some(judge_at) = self.judge_at().filter(|at| *at <= now) else { return false };
        if self.state == State::Down {
            self.remote.forget();
            self.unanswered = 0;
            return true;
        }
        let late = now.since(judge_at);
        self.record.late_max = self.record.late_max.max(late);
        let (why, late) = if late >= self.detection() {
            (DownCause::Overslept, late)
        } else if let Some((postponed, _)) = self.silence.patience {
            (DownCause::Silent, postponed)
        } else if !self.is_awake {
            self.is_awake = true;
            self.silence.patience = Some((late, now + self.detection()));
            return false;
        } else if late > LATE_FREE {
            self.silence.patience = Some((late, now + late));
            return false;
        } else {
            (DownCause::Silent, late)
        };
        let is_unproven = why == DownCause::Silent && self.silence.unproven;
        let why = if is_unproven { DownCause::Unproven } else { why };
        self.fall_silent(why, late, now, out);
        true
    }

    pub(super) fn detection(&self) -> Duration {
        self.pace().detection
    }

    /// What the peer has to keep to. RFC 5880 §6.8.4; who is asked before it is judged may be judged sooner. Of a peer that
    /// the node watches by itself the multiplier is a word about its delays, and not part of the pace.
    pub(super) fn pace(&self) -> Pace {
        let interval = length(self.negotiation.in_force().required_rx.max(self.remote.desired_tx));
        if self.settings.by_rhythm {
            return self.pace_of(interval);
        }
        let agreed = interval * u32::from(self.remote.multiplier);
        Pace { interval, detection: agreed.max(self.settings.detection_min) }
    }

    /// What who is asked before it is judged has to keep to, at that interval: the same for both ends.
    pub(super) fn pace_of(&self, interval: Duration) -> Pace {
        let agreed = interval * u32::from(self.settings.multiplier.max(1));
        let detection = times::asked(interval, agreed).max(self.settings.detection_min);
        Pace { interval, detection }
    }

    /// How long sequence numbers count after the last packet: twice the time after which the peer is dead (RFC 5880 §6.8.1),
    /// be it what was agreed or what is borne at most, so that nobody revives it with recorded packets before that.
    pub(super) fn numbers_count_for(&self) -> Duration {
        let pace = self.pace();
        let agreed = pace.interval * u32::from(self.remote.multiplier);
        let longest = if self.settings.by_rhythm { pace.longest_silence() } else { pace.detection };
        agreed.max(longest).max(self.record.borne) * 2
    }

    pub(super) fn heard_at(&self) -> Instant {
        self.last_heard.unwrap_or(self.since)
    }

    /// When to ask a peer that is silent: one that the node watches by itself, and that is up.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        if !self.settings.by_rhythm || self.state != State::Up {
            return None;
        }
        let due = || Inquiry::due(self.pace(), self.heard_at());
        Some(self.silence.inquiry.map_or_else(due, |inquiry| inquiry.next_at()))
    }

    /// When the silence is to be judged by who is late neither to ask nor to judge.
    pub(super) fn due(&self) -> Instant {
        let (heard, borne) = (self.heard_at(), self.record.borne);
        match self.silence.inquiry {
            Some(inquiry) => inquiry.due_at(self.pace(), heard, borne),
            None => heard + borne,
        }
    }

    pub(super) fn judge_at(&self) -> Option<Instant> {
        let heard = self.heard_at();
        let silent_at = heard + self.record.borne;
        match self.state {
            State::Init | State::Up if self.silence.patience.is_some() => {
                self.silence.patience.map(|(_, until)| until)
            }
            State::Up if self.settings.by_rhythm => {
                let inquiry = self.silence.inquiry?;
                Some(inquiry.judge_at(self.pace(), heard, self.record.borne))
            }
            State::Init | State::Up => Some(silent_at),
            State::Down if self.remote.is_known() => Some(silent_at),
            State::AdminDown | State::Down => None,
        }
    }

    /// How long silence is borne by what is agreed now. Whom the operator asked for by name is judged by the agreed time;
    /// whom the node watches by itself is believed to be dead only against the rhythm that it kept.
    pub(super) fn bearable(&self) -> Duration {
        let pace = self.pace();
        if !self.settings.by_rhythm || self.state != State::Up {
            return pace.detection;
        }
        let said = times::asked(pace.interval, pace.interval * u32::from(self.remote.multiplier));
        self.record.rhythm.patience(pace, said, self.heard_at())
    }
}
