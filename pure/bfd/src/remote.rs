//! What is known of the other end of a session. RFC 5880 §6.8.1.

use crate::State;
use crate::control::Control;

/// The peer's last word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote {
    /// Its number for the session; zero while it is not known.
    pub discriminator: u32,
    pub state: State,
    pub demand: bool,
    pub multiplier: u8,
    pub desired_tx: u32,
    pub required_rx: u32,
}

impl Remote {
    /// A peer that was not heard yet.
    pub(crate) fn unheard() -> Remote {
        Remote {
            discriminator: 0,
            state: State::Down,
            demand: false,
            multiplier: 1,
            desired_tx: 0,
            required_rx: 1,
        }
    }

    pub(crate) fn learn(&mut self, control: &Control) {
        *self = Remote {
            discriminator: control.my_discriminator,
            state: control.state,
            demand: control.demand,
            multiplier: control.multiplier,
            desired_tx: control.desired_min_tx,
            required_rx: control.required_min_rx,
        };
    }

    /// It was silent for the detection time: whoever speaks next may be another one. Its times are kept, as they
    /// tell how long old sequence numbers count.
    pub(crate) fn forget(&mut self) {
        let Remote { multiplier, desired_tx, .. } = *self;
        *self = Remote { multiplier, desired_tx, ..Remote::unheard() };
    }

    pub(crate) fn is_known(&self) -> bool {
        self.discriminator != 0
    }
}
