//! What `vrrp_strict` refuses and changes.

use mainstay_base::Family;
use mainstay_engine::vrrp::{Priority, StartAs, Version};

use super::instance::InstanceDraft;
use super::line::At;
use crate::fault::Faults;
use crate::{Code, Fault};

/// Applies strict mode; none if it refuses the instance. Says what no longer answers.
pub(super) fn check(
    draft: &mut InstanceDraft,
    strict: bool,
    (family, version, priority): (Family, Version, Priority),
    faults: &mut Faults,
) -> Option<()> {
    if !strict {
        if let Some((false, at)) = draft.protocol.accept
            && !priority.is_owner()
        {
            faults.add(accept_off(draft, at, "`no_accept`"));
        }
        return Some(());
    }
    if !draft.addresses.iter().any(|entry| entry.address.family() == family) {
        let message =
            format!("strict mode refuses {}: it has no address of {family}", draft.spoken());
        let fault = Fault::error(Code::Strict, message).here(draft.name.at, "");
        faults.add(fault.help("add `virtual_ipaddress { … }`"));
        return None;
    }
    changes(draft, version, priority, faults);
    Some(())
}

fn changes(draft: &mut InstanceDraft, version: Version, priority: Priority, faults: &mut Faults) {
    let mut say = |at: At, what: &str| {
        let message = format!("strict mode: {what}");
        let help = "take `vrrp_strict` out, or write `strict_mode off` in the instance";
        faults.add(Fault::warning(Code::Strict, message).here(at, "").help(help));
    };
    let spoken = draft.spoken();
    if let Some((state, at)) = draft.state {
        let owner = draft.priority.is_none_or(|(number, _)| number == 255) && priority.is_owner();
        if (state == StartAs::Active) != owner {
            say(at, &format!("{spoken} starts as its priority says, not as `state` says"));
            draft.state = None;
        }
    }
    if let Some(at) = draft.authentication.at.take() {
        say(
            at,
            &format!("{spoken} has no authentication; peers that have it are dropped, and drop us"),
        );
        draft.authentication.misplaced_hmac = false;
    }
    if let Some((_, at)) = draft.preempting.delay.take() {
        say(at, &format!("{spoken} has no preempt delay"));
    }
    if let (Some(at), false) = (draft.sending.peers_at, draft.sending.peers.is_empty()) {
        say(at, &format!("{spoken} has unicast peers, which newer releases of keepalived refuse"));
    }
    if let (Version::V2, Some((_, at))) = (version, draft.protocol.accept) {
        say(at, "`accept` and `no_accept` are of version 3; the line is left out");
        draft.protocol.accept = None;
    }
    let off = match draft.protocol.accept {
        Some((accept, at)) => (!accept).then_some((at, "`no_accept`")),
        None => Some((draft.name.at, "strict mode")),
    };
    if let (Some((at, why)), false) = (off, priority.is_owner()) {
        faults.add(accept_off(draft, at, why));
    }
}

fn accept_off(draft: &InstanceDraft, at: At, why: &str) -> Fault {
    let message = format!(
        "{}: by {why} packets to its addresses are dropped, even pings, as with keepalived",
        draft.spoken()
    );
    let fault = Fault::warning(Code::AcceptOff, message).here(at, "");
    fault.help("write `accept` in the instance (version 3), or take `vrrp_strict` out, so that they answer")
}
