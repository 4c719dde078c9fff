//! `[detection]` and `[[bfd]]`.

use mainstay_engine::bfd::{Authentication, AuthenticationKind, SessionSettings};
use mainstay_engine::vrrp::{Gauge, GaugeKind, Weight};
use mainstay_engine::{BfdSession, Detection, Settings};

use super::{Inline, Text, list, quoted, time};

impl Text {
    pub(super) fn detection(&mut self, detection: &Detection) {
        let usual = Detection::default();
        if *detection == usual {
            return;
        }
        self.heading("[detection]");
        self.flag("on", detection.on, usual.on);
        self.unless("interval", detection.interval, usual.interval, time);
        self.unless("multiplier", detection.multiplier, usual.multiplier, |n| n.to_string());
        let (rate, usual) = (detection.packets_per_second_max, usual.packets_per_second_max);
        self.unless("packets_per_second_max", rate, usual, |rate| rate.to_string());
        self.authentication(detection.authentication.as_ref());
    }

    pub(super) fn sessions(&mut self, settings: &Settings) {
        for session in &settings.bfd_sessions {
            self.bfd(session);
            if let Some(of) = settings.vrrp.vouchers.get(&session.name) {
                let of: Vec<String> =
                    of.iter().map(|address| quoted(&address.to_string())).collect();
                self.key("same_machine", list(&of));
            }
            let gauge = Gauge { kind: GaugeKind::Session, name: session.name.clone() };
            let mut gauges = settings.vrrp.gauges.iter();
            let found = gauges.find(|tracked| tracked.gauge == gauge);
            let weight = found.map_or(Weight::default(), |tracked| tracked.weight);
            if weight != Weight::default() {
                self.key("weight", weight.value.to_string());
                self.flag("reverse", weight.reverse, false);
            }
        }
    }

    fn bfd(&mut self, session: &BfdSession) {
        let (held, usual) = (&session.session, SessionSettings::default());
        self.heading("[[bfd]]");
        self.text("name", Some(session.name.as_str()));
        self.text("peer", Some(&session.remote.to_string()));
        self.text("source", session.local.map(|local| local.to_string()).as_deref());
        self.text("link", session.link.as_ref().map(mainstay_base::LinkName::as_str));
        self.unless("interval", held.desired_min_tx, usual.desired_min_tx, time);
        self.unless("receive_interval", held.required_min_rx, held.desired_min_tx, time);
        self.unless("idle_interval", held.idle_tx, usual.idle_tx, time);
        self.unless("multiplier", held.multiplier, usual.multiplier, |n| n.to_string());
        self.flag("passive", held.passive, false);
        self.unless("ttl", held.ttl, usual.ttl, |ttl| ttl.to_string());
        self.unless("ttl_min", held.ttl_min, usual.ttl_min, |ttl| ttl.to_string());
        self.authentication(held.authentication.as_ref());
    }

    fn authentication(&mut self, authentication: Option<&Authentication>) {
        let Some(Authentication { kind, key_id, key }) = authentication else { return };
        let mut inline = match std::str::from_utf8(key.as_bytes()) {
            Ok(text) => Inline::start("key", quoted(text)),
            Err(_) => {
                let digits = key.as_bytes().iter().map(|byte| format!("{byte:02x}"));
                Inline::start("key_hex", quoted(&digits.collect::<String>()))
            }
        };
        if *kind != AuthenticationKind::MeticulousSha1 {
            inline.text("kind", Some(kind.name()));
        }
        if *key_id != 1 {
            inline.number("key_id", Some(*key_id));
        }
        self.key("authentication", inline.end());
    }
}
