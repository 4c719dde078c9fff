//! Another control process takes the place of the one in charge, while that one still works.
//!
//! The new one prepares everything; then the old one is ordered to end, and leaves the addresses as they are;
//! its lock goes to the new one, which goes on where it stopped. When the program itself is upgraded, the
//! supervisor first becomes the new program, in place: the same process, as far as anybody else can see.

use std::ffi::OsString;
use std::time::Duration;

use mainstay_base::Instant;
use mainstay_linux::{clock, process};
use rustix::process::Pid;

use super::Supervisor;
use super::charge::Charge;
use crate::log;
use crate::options::SUCCEED;
use crate::tether::{Listening, Message, Order};

/// A successor has read its settings by then.
const PREPARED_WITHIN: Duration = Duration::from_secs(30);
/// One that was ordered to resign has ended by then: its scripts have had their time.
const RESIGNED_WITHIN: Duration = Duration::from_secs(10);

impl Supervisor<'_> {
    /// Becomes the program that is on the disk now; it takes over the control process, which asks for a
    /// successor then.
    pub(super) fn upgrade(&mut self) {
        if let Some(successor) = &self.successor {
            // Whoever asked again is answered with the other ones; of one that was killed nobody hears any more.
            if successor.is_killed() {
                let why = "the new process of the last time has not ended yet".to_owned();
                self.charge.order(Order::GoOn { why });
            }
            return;
        }
        let error = match process::own_path() {
            Ok(path) => {
                log::report(format!("becoming {}", path.display()));
                log::finish();
                process::become_program(&path, std::env::args_os(), &self.options.stays)
            }
            Err(error) => error,
        };
        log::error(format!("cannot become the new program: {error}"));
        self.charge.order(Order::GoOn { why: error.to_string() });
    }

    pub(super) fn start_successor(&mut self) {
        if self.successor.is_some() || self.stop_by.is_some() {
            return;
        }
        let succeed = OsString::from(SUCCEED);
        let arguments = self.options.control_arguments.iter().chain([&succeed]);
        match Charge::start(arguments) {
            Ok(charge) => self.successor = Some(charge),
            Err(error) => self.charge.order(Order::GoOn { why: error.sentence() }),
        }
    }

    pub(super) fn is_successor(&self, pid: Pid) -> bool {
        self.successor.as_ref().is_some_and(|successor| successor.is(pid))
    }

    pub(super) fn hear_successor_on(&mut self, line: Listening) {
        if let Some(successor) = &mut self.successor {
            successor.listen_to(line);
        }
    }

    pub(super) fn listen_to_the_successor(&mut self) {
        let Some(successor) = &mut self.successor else { return };
        if successor.has_ended() {
            let (code, is_too_late) = (successor.reap(), successor.prepared);
            let is_forgone = successor.is_killed();
            self.successor = None;
            if is_forgone {
                return;
            }
            let code = code.map_or("a signal".to_owned(), |code| format!("code {code}"));
            let why = format!("the new control process ended with {code}");
            if is_too_late {
                log::error(format!("{why}, after the old one was told to end"));
                return;
            }
            self.go_on_without(why);
            return;
        }
        if self.successor_is_prepared() {
            self.charge.order(Order::Resign);
            self.charge.resigns_by = Some(clock::now() + RESIGNED_WITHIN);
            // It takes no signals any more; the successor gets what comes from now on.
            self.charge.ready = false;
        }
    }

    /// The one in charge goes on, with the signals that were kept for its successor.
    fn go_on_without(&mut self, why: String) {
        log::error(format!("{why}; the old one goes on"));
        self.charge.order(Order::GoOn { why });
        if self.charge.ready {
            self.hand_on_held();
        }
    }

    /// Kills a successor that nobody waits for any more; its end is seen later.
    fn forgo_successor(&mut self) {
        if let Some(successor) = &mut self.successor {
            successor.kill();
        }
    }

    /// Nobody succeeds one that stops, unless that one has been told to resign before.
    pub(super) fn stop_without_successor(&mut self) {
        if self.successor.as_ref().is_some_and(|successor| !successor.prepared) {
            self.forgo_successor();
        }
    }

    /// The one in charge has begun to leave: should it be told to resign, it will not.
    pub(super) fn hear_it_leave(&mut self) {
        self.forgo_successor();
        if !self.charge.replaced {
            self.charge.resigns_by = None;
            self.stop_from_now();
        }
    }

    /// Until when one of the two has to have gone on.
    pub(super) fn succession_due(&self) -> Option<Instant> {
        let awaited = self.successor.iter().filter(|one| !one.prepared && !one.is_killed());
        let prepared_by = awaited.map(|one| one.started_at() + PREPARED_WITHIN);
        prepared_by.chain(self.charge.resigns_by).min()
    }

    /// Ends the one of the two that has not gone on in time.
    pub(super) fn judge_succession(&mut self) {
        let now = clock::now();
        if self.succession_due().is_none_or(|due| now < due) {
            return;
        }
        if self.charge.resigns_by.take_if(|by| *by <= now).is_some() {
            let number = self.charge.number();
            self.charge.kill();
            log::error(format!("the control process {number} does not make place: killed it"));
            return;
        }
        self.forgo_successor();
        let limit = PREPARED_WITHIN.as_secs();
        self.go_on_without(format!("the new control process was not prepared within {limit} s"));
    }

    /// Whether it has just said so. Everything that it says after that is heard when it is in charge.
    fn successor_is_prepared(&mut self) -> bool {
        let waiting = |one: &&mut Charge| !one.prepared && !one.is_killed();
        let Some(successor) = self.successor.as_mut().filter(waiting) else { return false };
        successor.prepared = successor.drain().contains(&Message::Prepared);
        successor.prepared
    }

    /// Puts the successor in charge, if there is one that is prepared, whatever ended the one that was.
    pub(super) fn succeed(&mut self) -> bool {
        self.successor_is_prepared();
        let goes_on = !self.charge.farewell;
        let is_to_go_on = |one: &mut Charge| goes_on && one.prepared && !one.is_killed();
        let Some(mut successor) = self.successor.take_if(is_to_go_on) else {
            // The old one was stopped meanwhile, and nobody is to go on; or it died, and who knows what the new one
            // waits for.
            self.forgo_successor();
            return false;
        };
        let (old, new) = (self.charge.number(), successor.number());
        log::report(format!("the control process {new} has taken the place of {old}"));
        successor.judge_anew();
        successor.prepared = false;
        self.charge = successor;
        true
    }
}
