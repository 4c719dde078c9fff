//! Whom the node tells beside the programs of its routers and groups: FIFOs and mailboxes.

mod fifo;
mod letter;
mod mail;

use std::time::Duration;

use mainstay_engine::{Settings, vrrp};

use crate::scripts::notify::{Subject, Tiding};
use fifo::Fifos;
pub(crate) use fifo::Made;
use mail::Mailer;

/// Tells FIFOs and mailboxes.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    fifos: Fifos,
    mailer: Mailer,
}

impl Teller {
    /// Nobody is told yet; these FIFOs were made by an earlier process.
    pub(crate) fn after(made: Made) -> Teller {
        Teller { fifos: Fifos::after(made), mailer: Mailer::default() }
    }

    /// The FIFOs that go with the daemon.
    pub(crate) fn made(&self) -> Made {
        self.fifos.made()
    }

    /// Takes other settings; what did not change goes on undisturbed.
    pub(crate) fn configure(&mut self, settings: &Settings, node: &str) {
        self.fifos.configure(&settings.telling.fifos, &settings.node);
        self.mailer.configure(settings.telling.mail.as_ref(), node);
    }

    /// Tells that something is in another state; `mail`: mailboxes as well.
    pub(crate) fn tell(&mut self, subject: &Subject, tiding: Tiding, priority: u8, mail: bool) {
        self.fifos.write(&fifo::line(subject, tiding.word(), priority));
        if mail {
            self.mailer.send(subject, tiding, priority);
        }
    }

    /// Tells FIFOs where a router or a group stands, though nothing changed.
    pub(crate) fn repeat(&mut self, subject: &Subject, state: vrrp::StateName, priority: u8) {
        self.fifos.write(&fifo::line(subject, Tiding::State(state).word(), priority));
    }

    /// Tells FIFOs of another priority.
    pub(crate) fn tell_priority(&mut self, router: &vrrp::Name, state: vrrp::StateName, to: u8) {
        let word = match state {
            vrrp::StateName::Active => "MASTER_PRIORITY",
            vrrp::StateName::Backup => "BACKUP_PRIORITY",
            vrrp::StateName::Initialize | vrrp::StateName::Fault => return,
        };
        self.fifos.write(&fifo::line(&Subject::Router(router.clone()), word, to));
    }

    /// Waits until everything is told, for so long at most. FIFOs stay if another process goes on.
    pub(crate) async fn finish(&mut self, limit: Duration, goes_on: bool) {
        let fifos = self.fifos.finish(limit, goes_on);
        let mails = self.mailer.finish(limit);
        tokio::join!(fifos, mails);
    }
}
