//! One node as it begins, and the names and addresses that every node has by rule.

use std::net::IpAddr;
use std::time::Duration;

use mainstay_base::{Instant, InterfaceAddress, LinkName};
use mainstay_engine::Settings;

use crate::Kernel;

/// One node as it begins.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its kernel at the start, with leftovers of an earlier life where there are any.
    pub kernel: Kernel,
    /// Its own addresses on each segment.
    pub own: Vec<Vec<InterfaceAddress>>,
    /// What its operator asked for.
    pub settings: Settings,
    /// When its daemon starts.
    pub start_at: Instant,
    /// Longest that its kernel takes over a batch of steps.
    pub kernel_delay_max: Duration,
    /// Whether scripts succeed once all is well, in the order of the settings.
    pub scripts_good: Vec<bool>,
}

/// The link of every node on a segment.
pub fn link_name(segment: usize) -> LinkName {
    format!("eth{segment}").parse().expect("a good name for a link")
}

/// The node's own IPv4 address on a segment.
pub fn own_v4(segment: usize, host: u8) -> IpAddr {
    IpAddr::from([10, segment_byte(segment), 0, host])
}

/// The node's own link-local address on a segment.
pub fn own_link_local(segment: usize, host: u8) -> IpAddr {
    let segment = u16::from(segment_byte(segment));
    IpAddr::from([0xfe80, 0, 0, 0, 0, 0, segment, u16::from(host)])
}

/// The node's own global IPv6 address on a segment.
pub fn own_global(segment: usize, host: u8) -> IpAddr {
    let segment = u16::from(segment_byte(segment));
    IpAddr::from([0x2001, 0xdb8, segment, 0, 0, 0, 0, u16::from(host)])
}

pub(super) fn segment_byte(segment: usize) -> u8 {
    u8::try_from(segment).expect("there are few segments")
}
