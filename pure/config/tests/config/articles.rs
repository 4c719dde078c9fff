//! The files of the two articles load as printed.

use std::time::Duration;

use crate::support::{lines, load_sample};
use mainstay_config::Loaded;
use mainstay_engine::Settings;
use mainstay_engine::vrrp::{Centiseconds, Peers, Preempt, RouterSettings, StartAs, Version};

fn settings(loaded: &Loaded) -> &Settings {
    loaded.settings.as_ref().expect("the file is acceptable")
}

fn router<'l>(loaded: &'l Loaded, name: &str) -> &'l RouterSettings {
    let mut routers = settings(loaded).vrrp.routers.iter();
    routers.find(|router| router.name.as_str() == name).expect("the router is there")
}

#[test]
fn the_file_of_the_tunnel_article_loads() {
    let loaded = load_sample("gre.conf");
    assert_eq!(settings(&loaded).node.name.as_deref(), Some("LVS_DEVEL"));
    let router = router(&loaded, "VI_1");
    assert_eq!(router.link.as_str(), "gretap1");
    assert_eq!(router.vrid.get(), 51);
    assert_eq!(router.priority.get(), 100);
    assert_eq!(router.version, Version::V2);
    assert_eq!(router.start_as, StartAs::Active);
    assert_eq!(router.advertisement_interval, Centiseconds(100));
    assert_eq!(router.authentication.password().map(|password| password.0), Some(*b"1111\0\0\0\0"));
    assert_eq!(router.addresses[0].key.to_string(), "10.1.1.4/32 on eth0");
    assert_eq!(router.peers, Peers::Multicast { group: [224, 0, 0, 18].into() });
    assert_eq!(
        lines(&loaded),
        ["notice 7:5 vrrp/state-is-initial", "warning 11:27 syntax/extra-words"]
    );
}

#[test]
fn the_files_of_the_hot_standby_article_load() {
    let one = load_sample("hot-standby-one.conf");
    let two = load_sample("hot-standby-two.conf");
    for (loaded, priority, link, preempt) in
        [(&one, 50, "ens38", Preempt::After(Duration::ZERO)), (&two, 25, "enp0s8", Preempt::Never)]
    {
        let router = router(loaded, "INT");
        assert_eq!(router.priority.get(), priority);
        assert_eq!(router.link.as_str(), link);
        assert_eq!(router.preempt, preempt);
        assert_eq!(router.announce.delay, Duration::from_secs(1));
        // As keepalived 2.2.7 shows with -d: the instance's own delay has no part in it.
        assert_eq!(router.announce.lower_priority_delay, Duration::from_secs(5));
        assert_eq!(router.addresses[0].key.to_string(), format!("10.10.10.254/24 on {link}"));
        let settings = settings(loaded);
        let group = &settings.vrrp.groups[0];
        assert_eq!(group.name.as_str(), "G1");
        assert_eq!(
            group.members.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            ["EXT", "INT"]
        );
        let notify = &settings.notify_groups[&group.name];
        let command = notify.active.as_ref().expect("notify_master is given");
        assert_eq!(command.words, ["/etc/conntrackd/primary-backup.sh", "primary"]);
    }
    assert_eq!(lines(&two), [""; 0]);
    assert_eq!(
        lines(&one),
        [
            "notice 12:5 vrrp/state-is-initial",
            "warning 26:5 vrrp/preempt-cleared",
            "notice 31:5 vrrp/state-is-initial",
            "warning 44:5 vrrp/preempt-cleared",
        ]
    );
}
