//! Frames that say who has an address, read.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use mainstay_base::{Family, Instant, LinkIndex, MacAddress};

use crate::batch::Slots;
use crate::netlink::array;
use crate::stamps::Stamps;

/// A neighbour advertisement with all the options that are known.
const LONGEST_FRAME: usize = 256;

/// Somebody on a link says that an address is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// On this link.
    pub link: LinkIndex,
    /// The address.
    pub address: IpAddr,
    /// The hardware address that answers for it.
    pub hardware: MacAddress,
    /// When the kernel received that.
    pub at: Instant,
}

/// Room for frames, allocated once and used for both families, one after the other.
pub struct Inbox {
    slots: Slots,
    family: Family,
    wanted: Arc<BTreeSet<IpAddr>>,
    stamps: Stamps,
}

impl Default for Inbox {
    fn default() -> Inbox {
        let slots = Slots::new(LONGEST_FRAME);
        Inbox { slots, family: Family::V4, wanted: Arc::default(), stamps: Stamps::start() }
    }
}

impl Inbox {
    pub(super) fn fill(
        &mut self,
        fd: BorrowedFd<'_>,
        family: Family,
        wanted: &Arc<BTreeSet<IpAddr>>,
    ) -> io::Result<usize> {
        let count = self.slots.fill(fd)?;
        self.family = family;
        self.wanted = Arc::clone(wanted);
        self.stamps.refresh();
        Ok(count)
    }

    /// What the last [`receive`](super::NeighbourSocket::receive) brought, oldest first. Malformed frames are
    /// passed over, and other addresses, of which the kernel's filter may let some through.
    pub fn seen(&self) -> impl Iterator<Item = Seen> {
        self.slots.packets().flatten().filter_map(|(from, control, frame)| {
            let (link, sender) = from.to_link()?;
            let (address, hardware) = match self.family {
                Family::V4 => arp(frame)?,
                Family::V6 => advertisement(frame, sender)?,
            };
            let wanted = self.wanted.contains(&address);
            wanted.then(|| Seen { link, address, hardware, at: self.stamps.received_at(control) })
        })
    }
}

/// The sender of an ARP frame, request or reply: RFC 826 lets everybody learn from both.
pub fn arp(frame: &[u8]) -> Option<(IpAddr, MacAddress)> {
    let address: [u8; 4] = array(frame, 28)?;
    Some((Ipv4Addr::from(address).into(), MacAddress(array(frame, 22)?)))
}

/// The target of a neighbour advertisement, RFC 4861 §4.4, with the link-layer address from its option; where
/// that is missing, with the sender of the frame.
pub fn advertisement(frame: &[u8], sender: Option<MacAddress>) -> Option<(IpAddr, MacAddress)> {
    const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
    let target: [u8; 16] = array(frame, 62)?;
    let mut options = frame.get(78..)?;
    let mut told = None;
    while let Some([kind, length]) = array(options, 0) {
        let length = usize::from(length) * 8;
        if length == 0 || length > options.len() {
            break;
        }
        if kind == TARGET_LINK_LAYER_ADDRESS && length == 8 {
            told = array(options, 2).map(MacAddress);
        }
        options = &options[length..];
    }
    Some((Ipv6Addr::from(target).into(), told.or(sender)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);

    fn advertisement_with(options: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 62];
        frame.extend(Ipv6Addr::LOCALHOST.octets());
        frame.extend(options);
        frame
    }

    #[test]
    fn an_advertisement_is_read_with_any_options() {
        let told = |options: &[u8]| advertisement(&advertisement_with(options), Some(SENDER));
        let localhost = IpAddr::from(Ipv6Addr::LOCALHOST);
        let mac = MacAddress([2, 0, 0, 0, 0, 1]);
        assert_eq!(told(&[]), Some((localhost, SENDER)));
        assert_eq!(told(&[2, 1, 2, 0, 0, 0, 0, 1]), Some((localhost, mac)));
        let behind_another = [14, 1, 9, 9, 9, 9, 9, 9, 2, 1, 2, 0, 0, 0, 0, 1];
        assert_eq!(told(&behind_another), Some((localhost, mac)));
        for broken in [&[2][..], &[2, 0, 0], &[2, 1, 2], &[2, 2, 2, 0, 0, 0, 0, 1], &[2, 255]] {
            assert_eq!(told(broken), Some((localhost, SENDER)), "{broken:?}");
        }
        assert_eq!(advertisement(&advertisement_with(&[]), None), None);
    }

    #[test]
    fn frames_that_are_cut_short_give_nothing() {
        let frame = vec![7; 42];
        assert!(arp(&frame).is_some());
        assert!((0..32).all(|length| arp(&frame[..length]).is_none()));
        let frame = advertisement_with(&[]);
        assert!((0..78).all(|length| advertisement(&frame[..length], Some(SENDER)).is_none()));
    }
}
