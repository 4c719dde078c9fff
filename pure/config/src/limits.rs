//! Limits and defaults that both languages share.

use std::time::Duration;

use mainstay_base::{Family, InterfaceAddress};
use mainstay_plan::Lifetime;

/// So many addresses fit an advertisement of an Ethernet link (1500 bytes), and its count of 8 bits.
pub(crate) fn addresses_max(family: Family) -> usize {
    match family {
        // (1500 − 20 of IP − 8 of VRRP − 8 of authentication) / 4, which is more than the count holds.
        Family::V4 => 255,
        // (1500 − 40 of IP − 8 of VRRP − 28 of HMAC) / 16; unsigned one more would fit, which keepalived leaves out.
        Family::V6 => 89,
    }
}

/// A lone IPv6 address is never chosen as a source, unless that is asked for; others are.
pub(crate) fn usual_lifetime(address: InterfaceAddress) -> Lifetime {
    if address.family() == Family::V6 && address.prefix_len() == 128 {
        Lifetime::Seconds(0)
    } else {
        Lifetime::Forever
    }
}

/// How far a signed advertisement may be from our time of day where nobody says otherwise: three intervals, and
/// at least so long.
pub(crate) fn hmac_window(interval: Duration) -> Duration {
    (interval * 3).max(Duration::from_secs(5))
}

/// How long start and stop scripts may take where nobody says otherwise.
pub(crate) const SCRIPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a mail server may take to answer where nobody says otherwise.
pub(crate) const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
