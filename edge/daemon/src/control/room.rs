//! Who finds room in the queue to the slow side when that is behind.

use mainstay_engine::{Event, vrrp};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::slow::{TOLD_DEPTH, Told};

/// This much of the queue is kept for what programs outside are told of.
const KEPT: usize = TOLD_DEPTH / 2;

/// Whether there is room for an event: what strangers on the link cause at will never takes the last of it.
pub(super) fn is_for(event: &Event, told: &mpsc::Sender<Told>) -> bool {
    !is_of_strangers(event) || told.capacity() > KEPT
}

/// The word, if there is no room for it at the moment. That nobody is there to take it is found out by waiting.
pub(super) fn untaken(told: &mpsc::Sender<Told>, word: Told) -> Option<Told> {
    match told.try_send(word) {
        Err(TrySendError::Full(word)) => Some(word),
        Ok(()) | Err(TrySendError::Closed(_)) => None,
    }
}

/// Whether each packet of a stranger may bring another one about, without anything changing.
fn is_of_strangers(event: &Event) -> bool {
    match event {
        Event::Vrrp(
            vrrp::Event::ActiveHeard { .. }
            | vrrp::Event::LowerPriorityHeard { .. }
            | vrrp::Event::Noticed { .. },
        ) => true,
        Event::Vrrp(
            vrrp::Event::StateChanged { .. }
            | vrrp::Event::GroupChanged { .. }
            | vrrp::Event::PriorityChanged { .. }
            | vrrp::Event::HandoverBegan { .. }
            | vrrp::Event::HandedOver { .. }
            | vrrp::Event::HandoverFailed { .. }
            | vrrp::Event::Drained { .. }
            | vrrp::Event::Undrained { .. }
            | vrrp::Event::TwoHolders { .. }
            | vrrp::Event::OneHolder { .. }
            | vrrp::Event::ScriptChanged { .. }
            | vrrp::Event::GaugeChanged { .. },
        )
        | Event::Session { .. }
        | Event::AddressTaken { .. }
        | Event::StepRefused { .. }
        | Event::StepAccepted { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::SystemTime;

    use super::*;
    use crate::testing::name;

    fn heard(number: u32) -> Event {
        let address = IpAddr::from(number.to_be_bytes());
        Event::Vrrp(vrrp::Event::ActiveHeard { router: name("VI_1"), address, priority: 254 })
    }

    fn changed() -> Event {
        let (from, to) = (vrrp::StateName::Backup, vrrp::StateName::Active);
        let why = vrrp::Cause::Owner;
        Event::Vrrp(vrrp::Event::StateChanged {
            router: name("VI_1"),
            from,
            to,
            priority: 255,
            why,
        })
    }

    #[test]
    fn a_flood_of_strangers_leaves_room_for_changes_of_state() {
        let (told, mut taken) = mpsc::channel(TOLD_DEPTH);
        let tell = |event: Event| {
            let fits = is_for(&event, &told);
            fits && told.try_send(Told::Event(SystemTime::UNIX_EPOCH, event)).is_ok()
        };
        let told_of = (0..30_000).filter(|number| tell(heard(*number))).count();
        assert_eq!(told_of, TOLD_DEPTH - KEPT);
        assert!((0..KEPT).all(|_| tell(changed())), "each change found room");
        assert!(!tell(changed()), "it is full now");
        taken.try_recv().expect("something waits");
        assert!(!tell(heard(0)) && tell(changed()));
    }

    #[test]
    fn a_last_word_is_kept_until_there_is_room() {
        let (told, mut taken) = mpsc::channel(1);
        assert!(untaken(&told, Told::Begun).is_none());
        let again = untaken(&told, Told::Stopped);
        assert!(matches!(again, Some(Told::Stopped)), "{again:?}");
        taken.try_recv().expect("something waits");
        assert!(untaken(&told, Told::Stopped).is_none());
        assert!(matches!(taken.try_recv(), Ok(Told::Stopped)));
        drop(taken);
        assert!(untaken(&told, Told::Stopped).is_none(), "nobody is there");
    }
}
