//! Frames that protocols share: checksums, Ethernet, ARP, neighbour discovery.
//!
//! Only what is sent is built here, and only the sums that both directions need are computed. Every
//! function is total: no length of input makes one panic.

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod ipv6;
pub mod ndp;
