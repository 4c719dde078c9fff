//! Another control process takes the place of the one in charge, while that one still works.
//!
//! The new one prepares everything; then the old one is ordered to end, and leaves the addresses as they are;
//! its lock goes to the new one, which goes on where it stopped. When the program itself is upgraded, the
//! supervisor first becomes the new program, in place: the same process, as far as anybody else can see.

use std::ffi::OsString;

use mainstay_linux::process;
use rustix::process::{Pid, Signal};

use super::Supervisor;
use super::charge::Charge;
use crate::options::SUCCEED;
use crate::tether::{Listening, Message, Order};

impl Supervisor<'_> {
    /// Becomes the program that is on the disk now; it takes over the control process, which asks for a
    /// successor then.
    pub(super) fn upgrade(&mut self) {
        if self.successor.is_some() {
            // Whoever asked again is answered with the other ones.
            return;
        }
        let error = match process::own_path() {
            Ok(path) => {
                tracing::info!("becoming {}", path.display());
                process::become_program(&path, std::env::args_os(), &self.options.stays)
            }
            Err(error) => error,
        };
        tracing::error!("cannot become the new program: {error}");
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
            self.successor = None;
            let code = code.map_or("a signal".to_owned(), |code| format!("code {code}"));
            let why = format!("the new control process ended with {code}");
            if is_too_late {
                tracing::error!("{why}, after the old one was told to end");
                return;
            }
            tracing::error!("{why}; the old one goes on");
            self.charge.order(Order::GoOn { why });
            return;
        }
        if self.successor_is_prepared() {
            self.charge.order(Order::Resign);
            // It takes no signals any more; the successor gets what comes from now on.
            self.charge.ready = false;
        }
    }

    /// Whether it has just said so. Everything that it says after that is heard when it is in charge.
    fn successor_is_prepared(&mut self) -> bool {
        let Some(successor) = self.successor.as_mut().filter(|one| !one.prepared) else {
            return false;
        };
        successor.prepared = successor.drain().contains(&Message::Prepared);
        successor.prepared
    }

    /// Puts the successor in charge, if there is one that is prepared, whatever ended the one that was.
    pub(super) fn succeed(&mut self) -> bool {
        self.successor_is_prepared();
        let Some(mut successor) = self.successor.take() else { return false };
        if self.charge.farewell || !successor.prepared {
            // The old one was stopped meanwhile, and nobody is to go on; or it died, and who knows what the new one
            // waits for.
            successor.signal(Signal::KILL);
            successor.reap();
            return false;
        }
        let (old, new) = (self.charge.number(), successor.number());
        tracing::info!("the control process {new} has taken the place of {old}");
        successor.judge_anew();
        successor.prepared = false;
        self.charge = successor;
        true
    }
}
