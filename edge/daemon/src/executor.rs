//! Carries out a last will: farewells first, so that others take over while addresses go.

use std::collections::BTreeSet;
use std::io;

use mainstay_base::Family;
use mainstay_engine::vrrp::Transmit;
use mainstay_linux::advert::{Advert, AdvertSocket};
use mainstay_linux::frames::{Frame, FrameSocket};
use mainstay_linux::kernel::{Kernel, News};
use mainstay_plan::{Actual, Step};

use crate::will::Will;

/// Says farewell and takes the addresses down; what is refused is logged and does not stop the
/// rest.
pub(crate) fn carry_out(will: &Will) {
    let opened = Kernel::open().and_then(|mut kernel| kernel.read_whole().map(|all| (kernel, all)));
    let (mut kernel, actual) = match opened {
        Ok(opened) => opened,
        Err(error) => return tracing::error!("cannot carry out the last will: {error}"),
    };
    let mut said = 0;
    for transmit in will.farewells() {
        match say(&transmit, &actual) {
            Ok(()) => said += 1,
            Err(error) => tracing::warn!("a farewell was not sent: {error}"),
        }
    }
    let removed = take_down(will, &mut kernel, &actual);
    tracing::info!("carried out the last will: {said} farewells, {removed} addresses taken down");
}

fn say(transmit: &Transmit, actual: &Actual) -> io::Result<()> {
    let failures = match transmit {
        Transmit::Advert { link, source, destination, ttl, payload } => {
            let gone = || io::Error::other("its link is gone");
            let name = &actual.links.get(link).ok_or_else(gone)?.name;
            let socket = AdvertSocket::open(*link, name, Family::of(*source))?;
            let (source, destination, ttl) = (*source, *destination, *ttl);
            socket.send([Advert { source, destination, ttl, payload }]).failures
        }
        Transmit::Frame { link, bytes } => {
            FrameSocket::open()?.send([Frame { link: *link, bytes }]).failures
        }
    };
    failures.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
}

/// Only addresses that are there and bear our mark are touched.
fn take_down(will: &Will, kernel: &mut Kernel, actual: &Actual) -> usize {
    let held: BTreeSet<_> = will.addresses().collect();
    let step = |key: mainstay_plan::AddressKey| {
        let link = actual.link_named(&key.link)?.index;
        actual.addresses.get(&(link, key.address)).is_some_and(|there| there.ours).then_some(())?;
        Some(Step::RemoveAddress { link, key })
    };
    let steps: Vec<Step> = held.into_iter().filter_map(step).collect();
    let mut removed = 0;
    for news in kernel.apply(&steps) {
        match news {
            News::Applied(_) => removed += 1,
            News::Refused(step, refusal) => {
                tracing::error!("the kernel refuses to {step}: {}", refusal.message);
            }
            News::Changed(_) => {}
        }
    }
    removed
}
