//! `[telling]`, `[[fifo]]`, `[mail]`, `[dumps]`.

use std::path::PathBuf;

use mainstay_engine::{Dumps, JsonVersion, Mail, MailSecurity, Telling, TimedCommand};

use super::{Text, list, quoted, time, whole_command};
use crate::limits::{MAIL_TIMEOUT, SCRIPT_TIMEOUT};

impl Text {
    pub(super) fn telling(&mut self, telling: &Telling) {
        let alone =
            Telling { fifos: Vec::new(), mail: None, dumps: Dumps::default(), ..telling.clone() };
        if alone != Telling::default() {
            self.heading("[telling]");
            self.flag("states_on_reload", telling.states_on_reload, false);
            self.timed("startup", telling.startup.as_ref());
            self.timed("shutdown", telling.shutdown.as_ref());
        }
        for fifo in &telling.fifos {
            self.heading("[[fifo]]");
            self.text("path", Some(&fifo.path.to_string_lossy()));
            self.text("user", fifo.user.as_deref());
            self.text("group", fifo.group.as_deref());
            if let Some(script) = &fifo.script {
                self.key("script", whole_command(script));
            }
        }
        if let Some(mail) = &telling.mail {
            self.mail(mail);
        }
        self.dumps(&telling.dumps);
    }

    fn timed(&mut self, key: &str, timed: Option<&TimedCommand>) {
        if let Some(timed) = timed {
            self.key(key, whole_command(&timed.command));
            self.unless(&format!("{key}_timeout"), timed.timeout, SCRIPT_TIMEOUT, time);
        }
    }

    fn mail(&mut self, mail: &Mail) {
        self.heading("[mail]");
        let to: Vec<String> = mail.to.iter().map(|address| quoted(address)).collect();
        self.key("to", list(&to));
        self.text("from", mail.from.as_deref());
        self.text("server", Some(&mail.server));
        self.key("port", mail.port.to_string());
        self.text("hello", mail.hello.as_deref());
        self.unless("timeout", mail.timeout, MAIL_TIMEOUT, time);
        let security = match mail.security {
            MailSecurity::WhereOffered => "where-offered",
            MailSecurity::StartTls => "starttls",
            MailSecurity::Tls => "tls",
            MailSecurity::None => "none",
        };
        self.text("security", Some(security));
        self.flag("faults", mail.faults, true);
    }

    fn dumps(&mut self, dumps: &Dumps) {
        if *dumps == Dumps::default() {
            return;
        }
        self.heading("[dumps]");
        let files = [("state", &dumps.state), ("stats", &dumps.stats), ("json", &dumps.json)];
        for (key, path) in files {
            self.text(key, path.as_deref().map(PathBuf::from).map(shown).as_deref());
        }
        self.unless("json_form", dumps.json_version, JsonVersion::V1, |_| quoted("object"));
        self.text("instance", dumps.with_instance.as_deref());
    }
}

fn shown(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
