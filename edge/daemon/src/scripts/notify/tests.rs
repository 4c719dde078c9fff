//! Notifications arrive in order, with keepalived's arguments; a slow one holds nobody up.

use std::path::{Path, PathBuf};

use super::*;

const LONG: Patience = Patience { earlier: Duration::from_secs(20), stop: Duration::from_secs(20) };

/// A script that writes its arguments to a file, after a pause for one of them.
struct Scribe {
    script: PathBuf,
    written: PathBuf,
}

impl Scribe {
    fn new(name: &str) -> Scribe {
        use std::os::unix::fs::PermissionsExt;
        let directory = std::env::temp_dir();
        let script = directory.join(format!("mainstay-scribe-{name}-{}", std::process::id()));
        let written = script.with_extension("out");
        let body = format!(
            "#!/bin/sh\ncase \"$*\" in *slow*) sleep 0.4;; esac\necho \"$@\" >> {}\n",
            written.display()
        );
        std::fs::write(&script, body).expect("the directory is writable");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&script, mode).expect("the file is ours");
        Scribe { script, written }
    }

    fn command(&self, argument: &str) -> Option<Command> {
        let script = self.script.to_str().expect("a name in ASCII").to_owned();
        Some(Command { words: vec![script, argument.to_owned()], user: None, group: None })
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.written)
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.script);
        let _ = std::fs::remove_file(&self.written);
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

fn run(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(test());
}

#[test]
fn each_object_is_told_in_order_with_the_arguments_of_keepalived() {
    let scribe = Scribe::new("order");
    let notify = Notify {
        active: scribe.command("master slow"),
        backup: scribe.command("backup"),
        fault: scribe.command("fault"),
        stop: scribe.command("stop"),
        any: scribe.command("any"),
        lower_priority: scribe.command("lower"),
        ..Notify::default()
    };
    let name = Name::new("VI_1");
    let mut notifier = Notifier::default();
    notifier.routers.insert(name.clone(), notify);
    let subject = Subject::Router(name);
    run(async || {
        notifier.tell(&subject, Tiding::State(StateName::Active), 100);
        notifier.tell(&subject, Tiding::State(StateName::Backup), 90);
        notifier.tell(&subject, Tiding::LowerPriority, 90);
        notifier.tell(&subject, Tiding::State(StateName::Initialize), 90);
        notifier.tell(&subject, Tiding::Deleted { says_deleted: false }, 90);
        notifier.tell(&subject, Tiding::Deleted { says_deleted: false }, 90);
        notifier.finish(LONG).await;
    });
    let wanted = [
        "master slow",
        "any INSTANCE VI_1 MASTER 100",
        "backup",
        "any INSTANCE VI_1 BACKUP 90",
        "lower",
        "stop",
        "any INSTANCE VI_1 STOP 90",
        "fault",
        "any INSTANCE VI_1 FAULT 90",
    ];
    assert_eq!(scribe.lines(), wanted);
}

#[test]
fn a_second_holder_is_told_of_with_what_is_seen_and_when_it_is_over() {
    let scribe = Scribe::new("holders");
    let name = Name::new("VI_1");
    let mut notifier = Notifier::default();
    let notify = Notify { two_holders: scribe.command("two"), ..Notify::default() };
    notifier.routers.insert(name.clone(), notify);
    notifier.routers.insert(Name::new("VI_2"), Notify::default());
    let peer = std::net::IpAddr::from([192, 0, 2, 2]);
    run(async || {
        notifier.tell_of_holders(&name, Some(&Evidence::PeerAlive { peer }));
        notifier.tell_of_holders(&Name::new("VI_2"), Some(&Evidence::PeerAlive { peer }));
        notifier.tell_of_holders(&name, None);
        notifier.finish(LONG).await;
    });
    let seen = "192.0.2.2 is alive, though its advertisements do not arrive";
    assert_eq!(scribe.lines(), [format!("two VI_1 {seen}"), "two VI_1 over".to_owned()]);
}

#[test]
fn a_slow_object_does_not_delay_another() {
    let scribe = Scribe::new("apart");
    let mut notifier = Notifier::default();
    let told = |words| Notify { any: scribe.command(words), ..Notify::default() };
    notifier.groups.insert(Name::new("slow"), told("G"));
    notifier.routers.insert(Name::new("quick"), told("R"));
    run(async || {
        notifier.tell(&Subject::Group(Name::new("slow")), Tiding::State(StateName::Active), 7);
        notifier.tell(&Subject::Router(Name::new("quick")), Tiding::State(StateName::Active), 7);
        notifier.finish(LONG).await;
    });
    assert_eq!(scribe.lines(), ["R INSTANCE quick MASTER 7", "G GROUP slow MASTER 0"]);
}

#[test]
fn a_group_that_is_gone_is_forgotten_and_a_router_once_it_has_been_told() {
    let scribe = Scribe::new("gone");
    let told = Notify { any: scribe.command("any"), ..Notify::default() };
    let (group, router) = (Name::new("G"), Name::new("VI_1"));
    let mut settings = Settings::default();
    settings.notify_groups.insert(group.clone(), told.clone());
    settings.notify_routers.insert(router.clone(), told);
    let mut notifier = Notifier::default();
    notifier.configure(&settings);
    let (group, router) = (Subject::Group(group), Subject::Router(router));
    run(async || {
        notifier.tell(&group, Tiding::State(StateName::Backup), 0);
        notifier.configure(&Settings::default());
        assert!(notifier.of(&group).is_none());
        assert!(notifier.of(&router).is_some());
        notifier.tell(&router, Tiding::Deleted { says_deleted: false }, 7);
        assert!(notifier.of(&router).is_none());
        notifier.finish(LONG).await;
        assert!(notifier.queues.is_empty());
    });
    let mut lines = scribe.lines();
    lines.sort();
    assert_eq!(lines, ["any GROUP G BACKUP 0", "any INSTANCE VI_1 FAULT 7"]);
}

#[test]
fn a_router_that_comes_back_tells_after_what_it_told_before() {
    let scribe = Scribe::new("back");
    let told = Notify {
        fault: scribe.command("slow fault"),
        active: scribe.command("active"),
        ..Notify::default()
    };
    let name = Name::new("VI_1");
    let mut settings = Settings::default();
    settings.notify_routers.insert(name.clone(), told);
    let mut notifier = Notifier::default();
    notifier.configure(&settings);
    let router = Subject::Router(name);
    run(async || {
        for _ in 0..2 {
            notifier.tell(&router, Tiding::Deleted { says_deleted: false }, 7);
            notifier.configure(&settings);
            notifier.tell(&router, Tiding::State(StateName::Active), 7);
        }
        assert_eq!(notifier.queues.len(), 1);
        let done = notifier.open(&router);
        done.close();
        while !done.is_over() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        notifier.tell(&router, Tiding::State(StateName::Active), 7);
        notifier.finish(LONG).await;
    });
    assert_eq!(scribe.lines(), ["slow fault", "active", "slow fault", "active", "active"]);
}

#[test]
fn too_many_push_the_oldest_out() {
    let queue = Queue::default();
    let command = Command { words: vec!["/bin/true".into()], user: None, group: None };
    let program = program::prepare(&command, &Node::default()).expect("it is fit").program;
    let mut lost = Vec::new();
    for number in 0..WAITING_MAX + 2 {
        let run =
            Run { program: program.clone(), further: vec![number.to_string()], of_stop: false };
        lost.extend(queue.push(run).map(|run| run.further[0].clone()));
    }
    assert_eq!(lost, ["0", "1"]);
    assert_eq!(queue.len(), WAITING_MAX);
}

#[test]
fn what_hangs_at_a_stop_is_ended_and_the_stop_is_told_all_the_same() {
    let scribe = Scribe::new("hanging");
    let script = "trap '' TERM; sleep 600; sleep 600";
    let words = ["/bin/sh", "-c", script].map(ToOwned::to_owned).to_vec();
    let hanging = Command { words, user: None, group: None };
    let notify = Notify {
        active: Some(hanging.clone()),
        backup: scribe.command("too late"),
        stop: scribe.command("stop"),
        any: None,
        ..Notify::default()
    };
    let (one, other) = (Name::new("VI_1"), Name::new("VI_2"));
    let mut notifier = Notifier::default();
    notifier.routers.insert(one.clone(), notify);
    let stop = Some(hanging);
    notifier.routers.insert(other.clone(), Notify { stop, ..Notify::default() });
    let begun = std::time::Instant::now();
    run(async || {
        let patience =
            Patience { earlier: Duration::from_millis(300), stop: Duration::from_secs(3) };
        let (one, other) = (Subject::Router(one), Subject::Router(other));
        notifier.tell(&one, Tiding::State(StateName::Active), 100);
        notifier.tell(&one, Tiding::State(StateName::Backup), 100);
        notifier.tell(&one, Tiding::State(StateName::Initialize), 100);
        notifier.tell(&other, Tiding::State(StateName::Initialize), 100);
        notifier.finish(patience).await;
        assert!(notifier.workers.is_empty(), "nobody was left alone");
    });
    assert_eq!(scribe.lines(), ["stop"], "what came before it has no time left");
    assert!(begun.elapsed() < Duration::from_secs(20), "600 s were not waited for");
}

/// What is logged on a thread.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn one_that_runs_long_while_others_wait_is_worth_a_line() {
    let release = std::env::temp_dir().join(format!("mainstay-release-{}", std::process::id()));
    let script = format!("until test -e {}; do sleep 0.05; done", release.display());
    let words = ["/bin/sh".to_owned(), "-c".to_owned(), script];
    let slow = Command { words: words.to_vec(), user: None, group: None };
    let name = Name::new("VI_1");
    let mut notifier = Notifier::finding_long(Duration::from_millis(50));
    let notify = Notify { active: Some(slow), ..Notify::default() };
    notifier.routers.insert(name.clone(), notify);
    let logged = Logged::default();
    let writer = logged.clone();
    let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let said =
        || String::from_utf8_lossy(&logged.0.lock().expect("nobody panics with it")).into_owned();
    tracing::subscriber::with_default(log, || {
        run(async || {
            let subject = Subject::Router(name);
            notifier.tell(&subject, Tiding::State(StateName::Active), 100);
            notifier.tell(&subject, Tiding::State(StateName::Active), 100);
            let line = async {
                while !said().contains("still runs after") {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let came = tokio::time::timeout(Duration::from_secs(20), line).await;
            std::fs::write(&release, "").expect("the directory is writable");
            notifier.finish(LONG).await;
            came.expect("the line comes while the program runs");
        });
    });
    let _ = std::fs::remove_file(&release);
    assert!(said().contains("still runs after 50ms, 1 wait"), "{}", said());
}
