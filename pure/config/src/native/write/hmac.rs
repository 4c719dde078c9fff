//! Authentication of a virtual router as text.

use mainstay_engine::vrrp::{Authentication, Freshness, Hmac, HmacKey, Password, RouterSettings};

use super::{Text, list, quoted, time};
use crate::limits::hmac_window;
use crate::native::hmac::MODES;

impl Text {
    pub(super) fn router_authentication(&mut self, router: &RouterSettings) {
        match &router.authentication {
            Authentication::None => {}
            Authentication::Password(password) => self.password(*password),
            Authentication::Hmac(hmac) => self.hmac(hmac, router),
        }
    }

    fn password(&mut self, Password(bytes): Password) {
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let written = bytes.get(..length.max(1)).unwrap_or(&bytes);
        match std::str::from_utf8(written) {
            Ok(text) if !text.contains('\0') => self.key("password", quoted(text)),
            Ok(_) | Err(_) => self.key("password_hex", quoted(&digits(written))),
        }
    }

    fn hmac(&mut self, hmac: &Hmac, router: &RouterSettings) {
        let keys: Vec<String> = hmac.keys.iter().map(key).collect();
        let mut parts = vec![format!("keys = {}", list(&keys))];
        parts.push(format!("active_key = {}", hmac.active_key));
        match hmac.freshness {
            Freshness::Growing => parts.push("anti_replay = \"monotonic\"".to_owned()),
            Freshness::Within(window) => {
                if window != hmac_window(router.advertisement_interval.duration()) {
                    parts.push(format!("time_window = {}", time(window)));
                }
            }
        }
        let mode = MODES.iter().find(|(_, mode)| *mode == hmac.mode);
        let usual = MODES[0].0;
        if let Some((word, _)) = mode.filter(|(word, _)| *word != usual) {
            parts.push(format!("mode = {}", quoted(word)));
        }
        self.key("hmac", format!("{{ {} }}", parts.join(", ")));
    }
}

/// A key that was in a file stays there.
fn key((id, key): (&u8, &HmacKey)) -> String {
    let text = std::str::from_utf8(&key.secret).ok().filter(|text| !text.contains('\0'));
    match (&key.file, text) {
        (Some(file), _) => format!("{{ id = {id}, key_file = {} }}", quoted(file)),
        (None, Some(text)) => format!("{{ id = {id}, key = {} }}", quoted(text)),
        (None, None) => format!("{{ id = {id}, key_hex = {} }}", quoted(&digits(&key.secret))),
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
