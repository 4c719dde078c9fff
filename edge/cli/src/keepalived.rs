//! The command line as keepalived has it, for a binary that is called `keepalived`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};

use crate::arguments::Configuration;
use crate::output;
use mainstay_config::keepalived::umask;
use mainstay_config::{Code, Fault, Loaded, Severity, render};

/// keepalived's options. What mainstay has no use for is taken and named.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "keepalived",
    disable_version_flag = true,
    args_override_self = true,
    max_term_width = 100,
    about = "mainstay in the place of keepalived: keeps a network address answering",
    after_help = "`mainstay --help` has mainstay's own commands."
)]
pub struct Keepalived {
    /// The configuration
    #[arg(
        short = 'f',
        long,
        value_name = "FILE",
        default_value = "/etc/keepalived/keepalived.conf"
    )]
    use_file: PathBuf,
    /// Stay in the foreground
    #[arg(short = 'n', long)]
    dont_fork: bool,
    /// Log to standard error
    #[arg(short = 'l', long)]
    log_console: bool,
    /// Without effect: the log is always detailed
    #[arg(short = 'D', long)]
    log_detail: bool,
    /// Without effect: the journal has no facilities
    #[arg(short = 'S', long, value_name = "FACILITY")]
    log_facility: Option<String>,
    /// Without effect: the log goes to one place
    #[arg(short = 'G', long)]
    no_syslog: bool,
    /// Without effect: the log goes to standard error or the journal
    #[arg(short = 'g', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    log_file: Option<Option<PathBuf>>,
    /// Without effect: send SIGUSR1 instead
    #[arg(short = 'd', long)]
    dump_conf: bool,
    /// Check the configuration: 0 good, 3 nothing to run, 4 faults, 5 scripts that are not secure
    #[arg(short = 't', long, value_name = "LOG_FILE", num_args = 0..=1, require_equals = true)]
    config_test: Option<Option<PathBuf>>,
    /// Where the process number goes [default: /run/keepalived.pid, or /run/keepalived/NAMESPACE/keepalived.pid]
    #[arg(short = 'p', long, value_name = "FILE")]
    pid: Option<PathBuf>,
    /// Where the number of the process that speaks VRRP goes [default: /run/vrrp.pid, or
    /// /run/keepalived/NAMESPACE/vrrp.pid]
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE")]
    vrrp_pid: Option<PathBuf>,
    /// Without effect: there are no checkers
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE")]
    checkers_pid: Option<PathBuf>,
    /// Without effect: sessions are in the process that speaks VRRP
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE")]
    bfd_pid: Option<PathBuf>,
    /// Which `@ID` lines of the configuration count
    #[arg(short = 'i', long, value_name = "ID")]
    config_id: Option<String>,
    /// VRRP alone, as always
    #[arg(short = 'P', long)]
    vrrp: bool,
    /// Refused: there are no checkers
    #[arg(short = 'C', long)]
    check: bool,
    /// Without effect: sessions run if they are configured
    #[arg(short = 'B', long = "no_bfd")]
    no_bfd: bool,
    /// Without effect
    #[arg(long)]
    all: bool,
    /// Without effect: SNMP is not served
    #[arg(short = 'x', long)]
    snmp: bool,
    /// Without effect: SNMP is not served
    #[arg(short = 'A', long, value_name = "SOCKET")]
    snmp_agent_socket: Option<String>,
    /// Run in that network namespace; goes before `net_namespace` of the configuration
    #[arg(short = 's', long, value_name = "NAME")]
    namespace: Option<String>,
    /// Without effect: a process that dies is started again
    #[arg(short = 'R', long)]
    dont_respawn: bool,
    /// Without effect: the service manager decides on core dumps
    #[arg(short = 'm', long)]
    core_dump: bool,
    /// Without effect: the service manager decides on core dumps
    #[arg(short = 'M', long, value_name = "PATTERN", num_args = 0..=1, require_equals = true)]
    core_dump_pattern: Option<Option<String>>,
    /// The umask of scripts, FIFOs and dump files; goes before `umask` of the configuration
    #[arg(short = 'u', long, value_name = "MASK")]
    umask: Option<String>,
    /// Without effect: addresses never stay behind
    #[arg(short = 'V', long)]
    dont_release_vrrp: bool,
    /// Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON
    #[arg(long, value_name = "SIGNAL")]
    signum: Option<String>,
    /// Print the version
    #[arg(short = 'v', long)]
    version: bool,
    #[command(flatten)]
    idle: Idle,
    /// Words that belong to no option
    #[arg(hide = true)]
    stray: Vec<String>,
}

/// Options that ask for what is so in any case, or for nothing that there is here.
#[derive(Clone, Debug, Args)]
struct Idle {
    /// Without effect
    #[arg(short = 'X', long)]
    release_vips: bool,
    /// Without effect: there are no virtual servers
    #[arg(short = 'I', long)]
    dont_release_ipvs: bool,
    /// Without effect: each change of an address is logged if it matters
    #[arg(short = 'a', long)]
    address_monitoring: bool,
    /// Without effect: a missing file is always said
    #[arg(short = 'e', long)]
    all_config: bool,
}

/// What such a command line asks for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It is answered already; end with that code.
    Answered(u8),
    /// Run the daemon.
    Run(Daemon),
}

/// How the daemon is to run.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Where the configuration is.
    pub configuration: Configuration,
    /// The network namespace to run in.
    pub namespace: Option<String>,
    /// Whether it stays in the foreground.
    pub foreground: bool,
    /// Whether the log goes to standard error.
    pub log_console: bool,
    /// The umask, if one was given.
    pub umask: Option<u32>,
    /// Where the process number goes.
    pub pid: PathBuf,
    /// Where the number of the process that speaks VRRP goes.
    pub vrrp_pid: PathBuf,
    /// What was asked for and has no effect, to be said.
    pub remarks: Vec<String>,
}

/// What is odd about the programs that a configuration names.
#[derive(Clone, Debug, Default)]
pub struct ProgramFaults {
    /// Those that are not run, and why.
    pub not_run: Vec<String>,
    /// Those that are run although others than root can write them.
    pub insecure: Vec<String>,
}

/// keepalived's exit codes, as its manual has them.
const USAGE: u8 = 1;
const NOTHING_TO_RUN: u8 = 3;
const FAULTS: u8 = 4;
const INSECURE: u8 = 5;

/// The signals by keepalived's names.
const SIGNALS: [(&str, i32); 6] =
    [("STOP", 15), ("RELOAD", 1), ("DATA", 10), ("STATS", 12), ("STATS_CLEAR", 63), ("JSON", 36)];

/// Reads a command line, and answers what needs no daemon. `programs` looks at the programs that settings name.
pub fn keepalived(
    words: impl IntoIterator<Item = OsString>,
    programs: impl Fn(&Loaded) -> ProgramFaults,
) -> Asked {
    let asked = match Keepalived::try_parse_from(words.into_iter().map(as_getopt_has_it)) {
        Ok(asked) => asked,
        Err(answer) => {
            let code = if answer.use_stderr() { USAGE } else { 0 };
            // Nobody is left to hear that nobody hears.
            let _ = answer.print();
            return Asked::Answered(code);
        }
    };
    if asked.version {
        eprintln!("mainstay {}, in the place of Keepalived v2.2.7", env!("CARGO_PKG_VERSION"));
        return Asked::Answered(0);
    }
    if let Some(name) = &asked.signum {
        return Asked::Answered(print_signal(name));
    }
    if let Some(log) = &asked.config_test {
        return Asked::Answered(asked.test(log.as_ref(), programs));
    }
    asked.run()
}

/// The letters whose value may be left out, which then follows at once, and those whose value may not.
const VALUE_AT_ONCE: [char; 3] = ['t', 'M', 'g'];
const VALUE: [char; 10] = ['f', 'S', 'p', 'r', 'c', 'b', 'i', 'A', 's', 'u'];

/// `-t/tmp/log` and `-Mcore`, as the parser here wants them: with `=`.
fn as_getopt_has_it(word: OsString) -> OsString {
    let Some(letters) = word.to_str().and_then(|text| text.strip_prefix('-')) else { return word };
    let has_value = |letter: char| VALUE_AT_ONCE.contains(&letter) || VALUE.contains(&letter);
    let found = letters.char_indices().find(|(_, letter)| *letter == '-' || has_value(*letter));
    let Some((place, letter)) = found else { return word };
    let (before, value) = letters.split_at(place + letter.len_utf8());
    if VALUE_AT_ONCE.contains(&letter) && !value.is_empty() && !value.starts_with('=') {
        return format!("-{before}={value}").into();
    }
    word
}

fn print_signal(name: &str) -> u8 {
    match SIGNALS.iter().find(|(known, _)| *known == name) {
        Some((_, number)) => match output::print(&format!("{number}\n")) {
            Ok(()) => 0,
            Err(_) => USAGE,
        },
        None => {
            eprintln!(
                "there is no signal `{name}`: say STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON"
            );
            USAGE
        }
    }
}

impl Keepalived {
    fn configuration(&self) -> Configuration {
        Configuration {
            keepalived: Some(self.use_file.clone()),
            config: None,
            config_id: self.config_id.clone(),
        }
    }

    /// Checks the configuration; what is wrong goes to standard error or to a file.
    fn test(&self, log: Option<&PathBuf>, programs: impl Fn(&Loaded) -> ProgramFaults) -> u8 {
        self.oddities().iter().for_each(|odd| eprintln!("{odd}"));
        let loaded = self.configuration().load_to_start(self.namespace.as_deref());
        let mut text = render(&loaded.faults, &loaded.sources, false);
        let programs = programs(&loaded);
        for line in programs.not_run.iter().chain(&programs.insecure) {
            text += &format!("{line}\n");
        }
        match log {
            None => eprint!("{text}"),
            Some(path) => {
                if let Err(error) = std::fs::write(path, &text) {
                    eprint!("cannot write {}: {error}\n{text}", path.display());
                }
            }
        }
        let is_nothing =
            |fault: &Fault| fault.severity == Severity::Error && fault.code == Code::NoRouters;
        let only_nothing = loaded.faults.iter().filter(|fault| counts(fault)).all(is_nothing);
        if loaded.settings.is_none() || (only_nothing && loaded.faults.iter().any(is_nothing)) {
            NOTHING_TO_RUN
        } else if !programs.not_run.is_empty() || loaded.faults.iter().any(counts) {
            FAULTS
        } else if programs.insecure.is_empty() {
            0
        } else {
            INSECURE
        }
    }

    fn run(self) -> Asked {
        if self.check {
            eprintln!("`--check`: mainstay has no checkers; leave it out");
            return Asked::Answered(USAGE);
        }
        let configuration = self.configuration();
        let namespace = self.namespace.clone().or_else(|| configuration.namespace());
        let [pid, vrrp_pid] = number_files(namespace.as_deref());
        Asked::Run(Daemon {
            pid: self.pid.clone().unwrap_or(pid),
            vrrp_pid: self.vrrp_pid.clone().unwrap_or(vrrp_pid),
            configuration,
            namespace,
            foreground: self.dont_fork,
            log_console: self.log_console,
            umask: self.umask.as_deref().and_then(umask),
            remarks: self.without_effect(),
        })
    }

    /// What matters to somebody and has no effect.
    fn without_effect(&self) -> Vec<String> {
        let options = [
            (self.snmp || self.snmp_agent_socket.is_some(), "--snmp: SNMP is not served"),
            (self.dont_release_vrrp, "--dont-release-vrrp: addresses go when the daemon stops"),
            (self.dont_respawn, "--dont-respawn: a process that dies is started again"),
            (self.log_file.is_some(), "--log-file: the log goes to standard error or the journal"),
            (
                self.core_dump || self.core_dump_pattern.is_some(),
                "--core-dump: see the service manager",
            ),
        ];
        let asked = options.iter().filter(|(asked, _)| *asked);
        let told = asked.map(|(_, text)| format!("without effect: {text}"));
        told.chain(self.oddities()).collect()
    }

    /// What makes no sense and, as with keepalived, does not keep anything from running.
    fn oddities(&self) -> Vec<String> {
        let bad = self.umask.iter().filter(|text| umask(text).is_none());
        let bad =
            bad.map(|text| format!("`--umask {text}` is left out: write it as `--umask 0027`"));
        let stray = self.stray.iter().map(|word| format!("`{word}` is left out: it is no option"));
        bad.chain(stray).collect()
    }
}

/// Where keepalived's process numbers are seen from outside.
fn number_files(namespace: Option<&str>) -> [PathBuf; 2] {
    let (folder, names) = match namespace {
        None => ("/run".into(), ["keepalived.pid", "vrrp.pid"]),
        Some(name) => (Path::new("/run/keepalived").join(name), ["keepalived.pid", "vrrp.pid"]),
    };
    names.map(|name| folder.join(name))
}

/// What keepalived ends with 4 for: errors, and keywords that it does not know.
fn counts(fault: &Fault) -> bool {
    fault.severity == Severity::Error || fault.code == Code::KeywordUnknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_on_the_command_line_names_the_files_of_numbers() {
        let run = |words: &[&str]| {
            let words = ["keepalived", "-f", "/nonexistent"].iter().chain(words);
            match keepalived(words.map(OsString::from), |_| ProgramFaults::default()) {
                Asked::Run(daemon) => (daemon.namespace, daemon.pid, daemon.vrrp_pid),
                Asked::Answered(code) => panic!("answered with {code}"),
            }
        };
        let plain = (None, "/run/keepalived.pid".into(), "/run/vrrp.pid".into());
        assert_eq!(run(&[]), plain);
        let (pid, vrrp) = ("/run/keepalived/blue/keepalived.pid", "/run/keepalived/blue/vrrp.pid");
        assert_eq!(run(&["-s", "blue"]), (Some("blue".into()), pid.into(), vrrp.into()));
        let given = run(&["-s", "blue", "-p", "/tmp/p"]);
        assert_eq!(given, (Some("blue".into()), "/tmp/p".into(), vrrp.into()));
    }
}
