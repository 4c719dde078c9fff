//! keepalived.json: settings, states and counters of each router.

use mainstay_base::LinkName;
use mainstay_engine::vrrp::{Peers, Preempt, RouterSettings, RouterView, Version};
use mainstay_engine::{JsonVersion, Notify, Settings};
use serde_json::{Value, json};

use super::past::{Counted, Past};
use super::words::{address_line, is_strict, moment, number, own_link, quoted};
use crate::channel::Report;

/// The whole file.
pub(super) fn text(settings: &Settings, report: &Report, past: &Past) -> String {
    let of_router = |view: &RouterView| {
        let asked = settings.vrrp.routers.iter().find(|asked| asked.name == view.name)?;
        let told = settings.notify_routers.get(&view.name).cloned().unwrap_or_default();
        Some(json!({ "data": described(asked, view, &told), "stats": stats(past.since(view)) }))
    };
    let routers: Vec<Value> = report.status.vrrp.routers.iter().filter_map(of_router).collect();
    let whole = match settings.telling.dumps.json_version {
        JsonVersion::V1 => Value::Array(routers),
        JsonVersion::V2 => json!({ "vrrp": routers }),
    };
    whole.to_string()
}

fn described(asked: &RouterSettings, view: &RouterView, told: &Notify) -> Value {
    let announce = &asked.announce;
    let own_link = own_link(asked).map(|(name, _)| name);
    let state = number(view.standing.state);
    let interval = asked.advertisement_interval.duration().as_secs_f64();
    let mut described = json!({
        "iname": view.name.as_str(),
        "dont_track_primary": u8::from(!asked.track_own_link),
        "skip_check_adv_addr": u8::from(asked.hearing.skip_address_check),
        "strict_mode": u8::from(is_strict(asked)),
        "vmac_ifname": own_link.map_or("", LinkName::as_str),
        "ifp_ifname": own_link.unwrap_or(&asked.link).as_str(),
        "master_priority": view.active.filter(|active| !active.ours).map_or(0, |active| active.priority),
        "last_transition": moment(view.standing.since),
        "garp_delay": announce.delay.as_secs(),
        "garp_refresh": announce.refresh.as_secs(),
        "garp_rep": announce.repeat,
        "garp_refresh_rep": announce.refresh_repeat,
        "garp_lower_prio_delay": announce.lower_priority_delay.as_secs(),
        "garp_lower_prio_rep": announce.lower_priority_repeat,
        "lower_prio_no_advert": u8::from(asked.hearing.ignore_lower_priority),
        "higher_prio_send_advert": u8::from(asked.hearing.answer_higher_priority),
        "vrid": asked.vrid.get(),
        "base_priority": asked.priority.get(),
        "effective_priority": view.effective_priority,
        "vipset": state == 2,
        "promote_secondaries": asked.kernel.promotes_secondaries,
        "adver_int": interval,
        "master_adver_int": view.times.interval.duration().as_secs_f64(),
        "accept": u8::from(asked.kernel.accept),
        "nopreempt": asked.preempt == Preempt::Never,
        "preempt_delay": match asked.preempt {
            Preempt::After(delay) => delay.as_secs(),
            Preempt::Never => 0,
        },
        "state": state,
        "wantstate": state,
        "version": match asked.version { Version::V2 => 2, Version::V3 => 3 },
        "smtp_alert": told.mail,
        "notify_deleted": told.says_deleted,
        "vips": addresses(asked, view, true),
        "auth_type": u8::from(asked.authentication.password().is_some()),
    });
    let more = described.as_object_mut().expect("it is an object");
    let scripts = [
        ("script_master", &told.active),
        ("script_backup", &told.backup),
        ("script_fault", &told.fault),
        ("script_stop", &told.stop),
        ("script", &told.any),
        ("script_master_rx_lower_pri", &told.lower_priority),
    ];
    for (key, command) in scripts {
        if let Some(command) = command {
            more.insert(key.to_owned(), quoted(command).into());
        }
    }
    if !asked.excluded.is_empty() {
        more.insert("evips".to_owned(), addresses(asked, view, false).into());
    }
    if let Peers::Unicast { peers, .. } = &asked.peers {
        let peers: Vec<String> = peers.iter().map(|peer| peer.address.to_string()).collect();
        more.insert("unicast_peers".to_owned(), peers.into());
    }
    described
}

fn addresses(asked: &RouterSettings, view: &RouterView, advertised: bool) -> Vec<String> {
    let entries = if advertised { &asked.addresses } else { &asked.excluded };
    entries.iter().map(|entry| address_line(entry, asked, view)).collect()
}

fn stats(counted: Counted) -> Value {
    json!({
        "advert_rcvd": counted.received,
        "advert_sent": counted.sent,
        "become_master": counted.became_active,
        "release_master": counted.released_active,
        "packet_len_err": counted.length,
        "advert_interval_err": counted.interval,
        "ip_ttl_err": counted.ttl,
        "invalid_type_rcvd": counted.kind,
        "addr_list_err": counted.addresses,
        "invalid_authtype": counted.authentication_kind,
        "authtype_mismatch": counted.authentication_mismatch,
        "auth_failure": counted.authentication_failed,
        "pri_zero_rcvd": counted.farewells_received,
        "pri_zero_sent": counted.farewells_sent,
    })
}
