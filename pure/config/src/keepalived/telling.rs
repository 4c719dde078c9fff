//! FIFOs, mail, start and stop scripts and dump files, as `global_defs` writes them.

use std::path::PathBuf;
use std::time::Duration;

use mainstay_engine::vrrp::Command;
use mainstay_engine::{Dumps, Fifo, JsonVersion, Mail, MailSecurity, Telling, TimedCommand};

use super::tree::Statement;
use super::values::{always_on, command_once, flag, no_more, number, seconds, twice, value};
use crate::fault::Faults;
use crate::limits::{MAIL_TIMEOUT, SCRIPT_TIMEOUT};
use crate::{Code, Fault};

/// What `global_defs` says of telling.
#[derive(Debug, Default)]
pub(super) struct TellingDraft {
    /// For everything, and for virtual routers alone; mainstay has nothing else to tell.
    fifos: [FifoDraft; 2],
    states_on_reload: bool,
    mail: MailDraft,
    startup: Option<Command>,
    startup_timeout: Option<Duration>,
    shutdown: Option<Command>,
    shutdown_timeout: Option<Duration>,
    dumps: Dumps,
    json_version: JsonVersion,
    /// Put the instance's name into the names of dump files.
    pub use_instance: bool,
    /// Whether mail is sent where nobody says otherwise.
    mail_alerts: Option<bool>,
    /// The same, for virtual routers alone.
    mail_alerts_vrrp: Option<bool>,
    /// Whether FIFOs are told of priorities where nobody says otherwise.
    pub priority_changes: bool,
}

#[derive(Debug, Default)]
struct FifoDraft {
    path: Option<PathBuf>,
    user: Option<String>,
    group: Option<String>,
    script: Option<Command>,
}

#[derive(Debug, Default)]
struct MailDraft {
    to: Vec<String>,
    from: Option<String>,
    server: Option<(String, u16)>,
    hello: Option<String>,
    timeout: Option<Duration>,
    no_faults: bool,
}

/// The port of a mail server where nobody says otherwise.
const SMTP: u16 = 25;
/// Ports whose use says how the connection is secured.
const SMTPS: u16 = 465;
const SUBMISSION: u16 = 587;

impl TellingDraft {
    /// Whether mail is sent where nobody says otherwise.
    pub(super) fn mails(&self) -> bool {
        self.mail_alerts_vrrp.or(self.mail_alerts).unwrap_or(false)
    }

    /// Reads a keyword; whether it is one of these.
    pub(super) fn read(
        &mut self,
        keyword: &str,
        statement: &Statement,
        faults: &mut Faults,
    ) -> bool {
        match keyword {
            "notify_fifo" => self.fifos[0].read(statement, faults),
            "notify_fifo_script" => self.fifos[0].read_script(statement, faults),
            "vrrp_notify_fifo" => self.fifos[1].read(statement, faults),
            "vrrp_notify_fifo_script" => self.fifos[1].read_script(statement, faults),
            "fifo_write_vrrp_states_on_reload" => {
                self.states_on_reload = always_on(statement, faults);
            }
            "vrrp_notify_priority_changes" | "notify_priority_changes" => {
                self.priority_changes = flag(statement, faults).unwrap_or(true);
            }
            "smtp_alert" => self.mail_alerts = flag(statement, faults),
            "smtp_alert_vrrp" => self.mail_alerts_vrrp = flag(statement, faults),
            "startup_script" => command_once(statement, &mut self.startup, faults),
            "shutdown_script" => command_once(statement, &mut self.shutdown, faults),
            "startup_script_timeout" => self.startup_timeout = script_timeout(statement, faults),
            "shutdown_script_timeout" => self.shutdown_timeout = script_timeout(statement, faults),
            _ => {
                return self.mail.read(keyword, statement, faults)
                    || self.read_dumps(keyword, statement, faults);
            }
        }
        true
    }

    fn read_dumps(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        match keyword {
            "state_dump_file" => self.dumps.state = path(statement, faults),
            "stats_dump_file" => self.dumps.stats = path(statement, faults),
            "json_dump_file" => self.dumps.json = path(statement, faults),
            "json_version" => {
                if let Some(version) = number(statement, 1..=2, faults) {
                    let first = version == 1;
                    self.json_version = if first { JsonVersion::V1 } else { JsonVersion::V2 };
                }
            }
            "data_use_instance" => self.use_instance = flag(statement, faults).unwrap_or(true),
            _ => return false,
        }
        true
    }

    /// keepalived writes its files whether they are named or not.
    fn dumps(&mut self) -> Dumps {
        let usual = |name: &str| Some(PathBuf::from(format!("/tmp/keepalived.{name}")));
        let Dumps { state, stats, json, .. } = std::mem::take(&mut self.dumps);
        Dumps {
            state: state.or_else(|| usual("data")),
            stats: stats.or_else(|| usual("stats")),
            json: json.or_else(|| usual("json")),
            json_version: self.json_version,
            with_instance: None,
        }
    }

    /// What it comes to; `wanted`: somebody wants mail, at that place if it is known.
    pub(super) fn settle(&mut self, wanted: bool, faults: &mut Faults) -> Telling {
        let [all, vrrp] = std::mem::take(&mut self.fifos);
        let timed = |command: Option<Command>, timeout: Option<Duration>| {
            command
                .map(|command| TimedCommand { command, timeout: timeout.unwrap_or(SCRIPT_TIMEOUT) })
        };
        Telling {
            fifos: [all, vrrp].into_iter().filter_map(FifoDraft::settle).collect(),
            states_on_reload: self.states_on_reload,
            mail: self.mail.settle(wanted, faults),
            startup: timed(self.startup.take(), self.startup_timeout),
            shutdown: timed(self.shutdown.take(), self.shutdown_timeout),
            dumps: self.dumps(),
        }
    }
}

impl FifoDraft {
    fn read(&mut self, statement: &Statement, faults: &mut Faults) {
        if self.path.is_some() {
            return faults.add(twice(statement));
        }
        self.path = value(statement, faults).map(|word| PathBuf::from(&word.text));
        self.user = statement.values().get(1).map(|word| word.text.clone());
        self.group = statement.values().get(2).map(|word| word.text.clone());
        no_more(statement, 3, faults);
    }

    fn read_script(&mut self, statement: &Statement, faults: &mut Faults) {
        command_once(statement, &mut self.script, faults);
    }

    /// A script without a FIFO has nothing to read.
    fn settle(self) -> Option<Fifo> {
        let FifoDraft { path, user, group, script } = self;
        Some(Fifo { path: path?, user, group, script })
    }
}

impl MailDraft {
    fn read(&mut self, keyword: &str, statement: &Statement, faults: &mut Faults) -> bool {
        match keyword {
            "notification_email" => {
                let words = statement.inner().iter().flat_map(|line| &line.words);
                self.to.extend(words.map(|word| word.text.clone()));
            }
            "notification_email_from" => self.from = text(statement, faults),
            "smtp_helo_name" => self.hello = text(statement, faults),
            "smtp_connect_timeout" => {
                self.timeout = seconds(statement, 1_000..=3_600_000_000, faults);
            }
            "smtp_server" => self.read_server(statement, faults),
            "no_email_faults" => self.no_faults = always_on(statement, faults),
            "email_faults" => self.no_faults = !flag(statement, faults).unwrap_or(true),
            _ => return false,
        }
        true
    }

    fn read_server(&mut self, statement: &Statement, faults: &mut Faults) {
        let Some(name) = value(statement, faults) else { return };
        let port = match statement.values().get(1) {
            None => SMTP,
            Some(word) => match word.text.parse::<u16>() {
                Ok(port) if port > 0 => port,
                Ok(_) | Err(_) => {
                    let message = format!("`smtp_server` takes a port, not `{}`", word.text);
                    let fault = Fault::error(Code::ValueBad, message).here(word.at, "");
                    faults.add(fault.help("write a number from 1 to 65535"));
                    SMTP
                }
            },
        };
        no_more(statement, 2, faults);
        self.server = Some((name.text.clone(), port));
    }

    fn settle(&mut self, wanted: bool, faults: &mut Faults) -> Option<Mail> {
        let MailDraft { to, from, server, hello, timeout, no_faults } = std::mem::take(self);
        let Some((server, port)) = server.filter(|_| !to.is_empty()) else {
            if wanted {
                let message = "mail is asked for, and nothing says where it goes";
                let fault = Fault::warning(Code::MailNowhere, message);
                faults.add(fault.help("add `notification_email { … }` and `smtp_server`"));
            }
            return None;
        };
        let security = match port {
            SMTPS => MailSecurity::Tls,
            SUBMISSION => MailSecurity::StartTls,
            _ => MailSecurity::WhereOffered,
        };
        let timeout = timeout.unwrap_or(MAIL_TIMEOUT);
        Some(Mail { to, from, server, port, hello, timeout, security, faults: !no_faults })
    }
}

fn text(statement: &Statement, faults: &mut Faults) -> Option<String> {
    let text = value(statement, faults).map(|word| word.text.clone());
    no_more(statement, 1, faults);
    text
}

fn path(statement: &Statement, faults: &mut Faults) -> Option<PathBuf> {
    text(statement, faults).map(PathBuf::from)
}

fn script_timeout(statement: &Statement, faults: &mut Faults) -> Option<Duration> {
    seconds(statement, 1_000_000..=1_000_000_000, faults)
}
