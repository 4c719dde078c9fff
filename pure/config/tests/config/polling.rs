//! Links whose carrier is asked for, as `linkbeat_…` and as `[[polled_link]]`.

use mainstay_base::CarrierSource::{self, Ethtool, Flags, Mii};

use crate::round_trip::same_after_writing;
use crate::support::{lines, load};

fn text(top: &str, own: &str) -> String {
    format!(
        "{top}\nvrrp_instance a {{\ninterface eth0\nvirtual_router_id 1\nadvert_int 1\n{own}
        track_interface {{\neth1\n}}
        virtual_ipaddress {{\n192.0.2.1/24\n198.51.100.1/24 dev eth2\n}}\n}}\n"
    )
}

#[test]
fn links_are_polled_that_are_named_or_count() {
    let all: &[(&str, CarrierSource)] = &[("eth0", Mii), ("eth1", Mii), ("eth2", Mii)];
    let named = "linkbeat_interfaces {\neth0 ETHTOOL\neth7 MII\neth8 IOCTL\neth9\n}";
    for (top, own, expected) in [
        ("", "", &[][..]),
        ("", "linkbeat_use_polling", &[("eth0", Mii)]),
        ("linkbeat_use_polling", "", all),
        (named, "", &[("eth0", Ethtool), ("eth7", Mii), ("eth8", Flags), ("eth9", Mii)]),
        (
            "linkbeat_use_polling\nlinkbeat_interfaces {\neth0 IOCTL\n}",
            "linkbeat_use_polling",
            &[("eth0", Flags), ("eth1", Mii), ("eth2", Mii)],
        ),
        // keepalived knows neither there.
        ("global_defs {\nlinkbeat_use_polling\nlinkbeat_interfaces {\neth0\n}\n}", "", &[]),
    ] {
        let settings = load(text(top, own)).settings.expect("nothing here costs the file");
        let polled = settings.polled_links.iter().map(|(link, by)| (link.as_str(), *by));
        assert_eq!(polled.collect::<Vec<_>>(), expected, "{top} {own}");
        same_after_writing(&settings);
    }
}

#[test]
fn an_unknown_way_is_said_and_another_one_taken() {
    let loaded = load(text("linkbeat_interfaces {\neth0 mii\n}", ""));
    assert_eq!(lines(&loaded), ["error 2:6 value/bad"]);
}
