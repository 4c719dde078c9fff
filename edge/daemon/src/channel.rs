//! The bounded channels between the engine's thread and the slow side.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use mainstay_base::LinkName;
use mainstay_engine::vrrp::{Gauge, Name, Reading};
use mainstay_engine::{Command, Settings, Status};
use mainstay_linux::reactor::Waker;
use tokio::sync::oneshot;

use crate::log;

/// What the slow side tells the engine's thread.
#[derive(Debug)]
pub(crate) enum ToEngine {
    /// A tracked script ended.
    ScriptEnded {
        /// The script.
        script: Name,
        /// With 0, in time.
        success: bool,
    },
    /// A gauge was read.
    GaugeRead {
        /// The gauge.
        gauge: Gauge,
        /// What it reads.
        reading: Reading,
    },
    /// A polled link was asked whether it has a carrier.
    CarrierRead {
        /// The link.
        link: LinkName,
        /// Whether it has one.
        present: bool,
    },
    /// The settings are being read again.
    Reloading,
    /// They were refused; everything is as before.
    ReloadRefused,
    /// Take these settings.
    Settings(Box<Settings>),
    /// Carry out what the operator ordered, and confirm the number when all that begins at once has begun.
    Order(Command, u64),
    /// Say where everything stands.
    Status(oneshot::Sender<Box<Report>>),
    /// Let another program take the place of this one.
    Upgrade,
    /// Say farewell and end; at once, if that was asked for before.
    Stop,
    /// The same, if that was not asked for before.
    StopOnce,
}

/// Where everything stands.
#[derive(Debug)]
pub(crate) struct Report {
    /// The engine's own view.
    pub(crate) status: Status,
    /// The steps that the engine would take at this moment.
    pub(crate) steps: Vec<mainstay_plan::Step>,
    /// The engine's moment of the report.
    pub(crate) now: mainstay_base::Instant,
    /// How peers are to be watched.
    pub(crate) detection: mainstay_engine::Detection,
    /// By how much deadlines were missed.
    pub(crate) lateness: mainstay_api::Lateness,
}

/// Deep enough for a burst of verdicts of every script that a node has; clients ask one at a time.
const DEPTH: usize = 1024;

/// The slow side's end. Cheap to clone; never blocks.
#[derive(Clone, Debug)]
pub(crate) struct EngineSender {
    sender: SyncSender<ToEngine>,
    waker: Waker,
}

/// A channel to the thread that a waker wakes.
pub(crate) fn to_engine(waker: Waker) -> (EngineSender, Receiver<ToEngine>) {
    let (sender, receiver) = sync_channel(DEPTH);
    (EngineSender { sender, waker }, receiver)
}

impl EngineSender {
    /// Tells the engine's thread; what finds no room is dropped, and said so.
    pub(crate) fn send(&self, word: ToEngine) {
        if self.sender.try_send(word).is_err() {
            log::error("the engine's thread does not listen: a word to it was dropped");
        }
        self.waker.wake();
    }
}
