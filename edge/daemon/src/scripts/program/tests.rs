//! Programs are run as they should be, and ended when they should not go on.

use std::time::Instant;

use super::*;

fn command(words: &[&str]) -> Command {
    Command { words: words.iter().map(ToString::to_string).collect(), user: None, group: None }
}

fn program(words: &[&str]) -> Program {
    prepare(&command(words), &Node::default()).expect("the program is fit").program
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(future)
}

#[test]
fn the_exit_code_is_the_verdict() {
    let good = block_on(program(&["/bin/true"]).run_within(Duration::from_secs(10)));
    assert!(good.expect("it runs").expect("in time").success());
    let bad = block_on(program(&["/bin/sh", "-c", "exit 3"]).run_within(Duration::from_secs(10)));
    assert_eq!(bad.expect("it runs").expect("in time").code(), Some(3));
    let nowhere = prepare(&command(&["/nowhere/at/all"]), &Node::default());
    assert!(matches!(nowhere, Err(Unfit::NotExecutable(_))));
}

/// Which of two things that both came about meanwhile is seen first must not be left to chance.
#[test]
fn one_that_ended_in_time_counts_however_late_that_is_seen() {
    let script = program(&["/bin/true"]);
    for _ in 0..10 {
        let held_up = async { std::process::Command::new("/bin/sleep").arg("0.2").status() };
        let limit = Duration::from_millis(20);
        let (ended, slept) = block_on(async { tokio::join!(script.run_within(limit), held_up) });
        assert!(slept.expect("sleep is there").success());
        assert!(ended.expect("it runs").is_some_and(|status| status.success()));
    }
}

#[test]
fn one_that_takes_too_long_is_ended_with_its_children() {
    let begun = Instant::now();
    let script = program(&["/bin/sh", "-c", "sleep 60 & wait"]);
    let status = block_on(script.run_within(Duration::from_millis(100)));
    assert!(status.expect("it runs").is_none());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn one_that_is_deaf_to_term_is_killed() {
    let begun = Instant::now();
    let script = program(&["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]);
    let status = block_on(script.run_within(Duration::from_millis(200)));
    assert!(status.expect("it runs").is_none());
    assert!(begun.elapsed() >= KILL_AFTER);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_bare_name_is_found_with_a_warning_and_an_unknown_one_refused() {
    let prepared = prepare(&command(&["true"]), &Node::default()).expect("it is on the PATH");
    assert_eq!(prepared.warnings.len(), 1);
    assert!(prepare(&command(&["no-such-program-anywhere"]), &Node::default()).is_err());
}

#[test]
fn users_and_groups_must_exist() {
    let named = |user: &str, group: Option<&str>| Command {
        user: Some(user.to_owned()),
        group: group.map(ToOwned::to_owned),
        ..command(&["/bin/true"])
    };
    let prepared = prepare(&named("root", None), &Node::default()).expect("root exists");
    assert_eq!(prepared.program.user.map(|user| (user.user, user.group)), Some((0, 0)));
    assert!(matches!(
        prepare(&named("no-such-user", None), &Node::default()),
        Err(Unfit::NoUser(_))
    ));
    assert!(matches!(
        prepare(&named("root", Some("no-such-group")), &Node::default()),
        Err(Unfit::NoGroup(_))
    ));
}

#[test]
fn another_user_s_further_groups_come_along_where_asked_for() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can become another.
        return;
    }
    let path = std::env::temp_dir().join(format!("mainstay-groups-{}", std::process::id()));
    for (groups, expected) in [(vec![], "65534"), (vec![2, 7], "65534 2 7")] {
        let words = format!("id -G > {}; chmod 666 {0}", path.display());
        let mut program = program(&["/bin/sh", "-c", &words]);
        program.user = Some(Identity { user: 65_534, group: 65_534, groups });
        let ended = block_on(program.run_within(Duration::from_secs(20)));
        let told = std::fs::read_to_string(&path).expect("it wrote its groups");
        std::fs::remove_file(&path).expect("the directory is open to all");
        assert!(ended.expect("it runs").expect("in time").success());
        assert_eq!(told.trim(), expected);
    }
    let root = |supplementary_groups| {
        let command = Command { user: Some("root".to_owned()), ..command(&["/bin/true"]) };
        let node = Node { supplementary_groups, ..Node::default() };
        let prepared = prepare(&command, &node).expect("root exists");
        prepared.program.user.expect("a user is named").groups
    };
    assert_eq!(root(false), Vec::<u32>::new());
    assert!(root(true).contains(&0), "root is in the group of root");
}

#[test]
fn script_security_refuses_what_others_can_write() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        // Without root nothing runs as root, and there is nothing to refuse.
        return;
    }
    let path = std::env::temp_dir().join(format!("mainstay-insecure-{}", std::process::id()));
    std::fs::write(&path, "#!/bin/sh\n").expect("the directory is writable");
    let mode = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&path, mode).expect("the file is ours");
    let words = [path.to_str().expect("a name in ASCII")];
    let root = Command { user: Some("root".into()), ..command(&words) };
    let lax = prepare(&root, &Node::default()).expect("it runs, with a warning");
    let strict = prepare(&root, &Node { script_security: true, ..Node::default() });
    std::fs::remove_file(&path).expect("the file is ours");
    assert_eq!(lax.warnings.len(), 1);
    assert!(matches!(strict, Err(Unfit::Insecure { .. })));
}
