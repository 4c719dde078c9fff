//! Where the daemon's settings come from: the configuration, or the last good one.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use mainstay_cli::Run;
use mainstay_config::{Fault, Severity, native};
use mainstay_daemon::{Loaded, Loader, Occasion, Refusal};
use mainstay_engine::Settings;
use rustix::fs::OFlags;

/// Reads the configuration whenever the daemon asks.
///
/// At a start, what is sound is used, as keepalived does. At a reload, any error refuses the whole, and so does a
/// configuration without a virtual router where there were some. When the control process is started again after
/// its death, either means the settings that it had before: nobody has asked for others.
pub fn loader(run: Run, runtime_dir: &Path) -> Loader {
    let last_good = runtime_dir.join(mainstay_daemon::LAST_GOOD);
    let mut reload_file: Option<PathBuf> = None;
    let mut has_routers = false;
    Box::new(move |occasion| {
        let reading = reload_file.as_deref().map(Reading::begin);
        let mut loaded = run.configuration.load();
        if let Some(settings) = &mut loaded.settings {
            settings.node.umask = run.umask.or(settings.node.umask);
        }
        let remark = reading.and_then(|reading| reading.map_or_else(Some, Reading::end));
        if occasion == Occasion::Restart {
            let before = mainstay_cli::load_native(&last_good).settings;
            has_routers = before.as_ref().is_some_and(keeps_any);
        }
        let gives_up = has_routers && loaded.settings.as_ref().is_some_and(|new| !keeps_any(new));
        let sound = occasion == Occasion::Start || !(loaded.has_errors() || gives_up);
        match &loaded.settings {
            Some(settings) if sound => {
                let mut warnings = lines(&loaded);
                warnings.extend(remark);
                warnings.extend(elsewhere(&run, settings));
                reload_file.clone_from(&settings.node.reload_file);
                has_routers = keeps_any(settings);
                let last_good = Some(native::write(settings));
                Ok(Loaded { settings: settings.clone(), warnings, last_good })
            }
            Some(_) | None if occasion == Occasion::Restart => before(&last_good, &loaded),
            Some(_) | None => Err(refusal(&loaded, gives_up)),
        }
    })
}

/// A file that is there while the configuration is read, for those who change it.
struct Reading<'p>(&'p Path);

impl<'p> Reading<'p> {
    /// Makes the file, or empties it; what is wrong with that does not keep anybody from reading.
    fn begin(path: &'p Path) -> Result<Reading<'p>, String> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // A link that somebody put there is not followed.
        let made = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path);
        made.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Reading(path))
    }

    fn end(self) -> Option<String> {
        let removed = fs::remove_file(self.0);
        let error = removed.err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
        Some(format!("cannot remove {}: {error}", self.0.display()))
    }
}

/// A network namespace is entered once, before anything else.
fn elsewhere(run: &Run, settings: &Settings) -> Option<String> {
    let asked =
        settings.node.namespace.as_ref().filter(|name| run.namespace.as_ref() != Some(name))?;
    let now = match &run.namespace {
        Some(name) => format!("network namespace `{name}`"),
        None => "the network namespace that it was started in".to_owned(),
    };
    Some(format!("the daemon runs in {now}: restart it to have it run in `{asked}`"))
}

/// The settings of before, and what is wrong with those of now.
fn before(last_good: &Path, now: &mainstay_config::Loaded) -> Result<Loaded, Refusal> {
    let settings =
        mainstay_cli::load_native(last_good).settings.ok_or_else(|| refusal(now, false))?;
    let mut warnings = lines(now);
    warnings
        .push("the configuration has become faulty: the settings of before are used".to_owned());
    Ok(Loaded { settings, warnings, last_good: None })
}

/// Whether there is an address to be kept answering.
fn keeps_any(settings: &Settings) -> bool {
    !settings.vrrp.routers.is_empty()
}

/// What is said when nothing of the kind was asked for in so many words.
const GIVES_UP: &str = "the configuration has no virtual router left, and the daemon keeps those that it has; \
                        if they are to end, stop it: `mainstay stop`";

fn refusal(loaded: &mainstay_config::Loaded, gives_up: bool) -> Refusal {
    let mut text = mainstay_config::render(&loaded.faults, &loaded.sources, false);
    let mut lines = lines(loaded);
    if gives_up {
        text += &format!("{GIVES_UP}\n");
        lines.push(GIVES_UP.to_owned());
    }
    Refusal { lines, text }
}

/// Errors and warnings, one line each, for the log.
fn lines(loaded: &mainstay_config::Loaded) -> Vec<String> {
    let faults = loaded.faults.iter().filter(|fault| fault.severity != Severity::Notice);
    let line = |fault: &Fault| match fault.labels.first() {
        Some(label) => {
            let place = loaded.sources.place(label.span);
            format!("{}:{}: {}", place.file, place.line, fault.message)
        }
        None => fault.message.clone(),
    };
    faults.map(line).collect()
}

#[cfg(test)]
mod tests {
    use mainstay_cli::{Configuration, LogFormat};

    use super::*;

    #[test]
    fn routers_are_given_up_neither_at_a_reload_nor_at_a_restart() {
        let folder = std::env::temp_dir().join(format!("mainstay-none-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the directory is writable");
        let file = folder.join("k.conf");
        let configuration =
            Configuration { keepalived: Some(file.clone()), config: None, config_id: None };
        let run = Run { configuration, namespace: None, log_format: LogFormat::Auto, umask: None };
        let one = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n";
        // No slip at all: another program's job, which may be all that a file is for.
        let servers = "virtual_server 192.0.2.9 80 {\n}\n";
        let write = |text: &str| fs::write(&file, text).expect("the directory is writable");

        write(servers);
        let mut load = loader(run.clone(), &folder);
        load(Occasion::Start).expect("it may be meant");
        load(Occasion::Reload).expect("there is nothing to give up");
        write(one);
        let taken = load(Occasion::Reload).expect("a router more");
        let last_good = taken.last_good.expect("it is from the configuration");
        fs::write(folder.join(mainstay_daemon::LAST_GOOD), last_good).expect("writable");
        write(servers);
        let refusal = load(Occasion::Reload).expect_err("the router is kept");
        assert!(refusal.text.contains("`mainstay stop`"), "{}", refusal.text);
        let mut again = loader(run, &folder);
        let before = again(Occasion::Restart).expect("the settings of before");
        assert_eq!(before.settings.vrrp.routers.len(), 1);
        again(Occasion::Reload).expect_err("the router is kept");
        again(Occasion::Start).expect("whoever starts it anew means it");
        fs::remove_dir_all(&folder).expect("it is ours");
    }

    #[test]
    fn the_reload_file_is_there_and_empty_while_the_configuration_is_read() {
        let folder = std::env::temp_dir().join(format!("mainstay-reload-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the directory is writable");
        let (reload, file) = (folder.join("reload"), folder.join("k.conf"));
        // The include insists on a file that is there, and would not take what is in it before.
        let text = format!(
            "global_defs {{\nreload_file {0}\n}}\nincludem {0}\nvrrp_instance a {{\ninterface eth0\n\
             virtual_router_id 1\nvirtual_ipaddress {{ 192.0.2.1 }}\n}}\n",
            reload.display()
        );
        fs::write(&file, text).expect("the directory is writable");
        let configuration = Configuration { keepalived: Some(file), config: None, config_id: None };
        let run = Run { configuration, namespace: None, log_format: LogFormat::Auto, umask: None };
        let mut load = loader(run, &folder);
        load(Occasion::Start).expect("what is sound is used");
        for _ in 0..2 {
            fs::write(&reload, "no_such_keyword {\n").expect("the directory is writable");
            let loaded = load(Occasion::Reload).map_err(|refusal| refusal.text);
            assert_eq!(loaded.expect("the file is there and empty").warnings, Vec::<String>::new());
            assert!(!reload.exists(), "it is gone when all is read");
        }
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}
