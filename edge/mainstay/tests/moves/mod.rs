//! Planned changes as an operator orders them, with the real daemon in network namespaces.

use std::process::Output;

use mainstay_api::{Reply, State};
use mainstay_lab::daemon::Daemon;
use mainstay_lab::wait;

use crate::stage::{self, Checked, Router, SOON, Stage, Test, code};

/// What is tested here, by name.
pub const TESTS: [Test; 6] = [
    ("a_switch_is_answered_when_the_other_node_holds", switch),
    ("a_switch_that_would_not_succeed_moves_nothing", refused_switch),
    ("a_drained_node_stays_drained_when_its_process_dies", drain),
    ("a_drained_router_serves_while_nobody_else_does", drained_alone),
    ("an_upgrade_ends_when_the_other_process_is_in_charge", upgrade),
    ("explain_says_who_would_take_over", explain),
];

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Until each of two nodes watches the other by a session.
fn until_watched(stage: &Stage, daemons: [&Daemon; 2]) -> Checked {
    for (place, daemon) in daemons.into_iter().enumerate() {
        wait::until("a session with the other node", SOON, || {
            stage.status(daemon, place).is_ok_and(|status| {
                let mut sessions = status.detection.sessions.iter();
                sessions.any(|session| session.detection_us.is_some())
            })
        })?;
    }
    Ok(())
}

fn switch() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    until_watched(&stage, [&strong, &weak])?;
    let switched = stage.command(0, &["switch", "VI_1", "--json"])?;
    assert_eq!(code(&switched), 0, "{}", stderr(&switched));
    let reply: Reply = serde_json::from_slice(&switched.stdout)?;
    assert!(reply.done && reply.refusals.is_empty(), "{reply:?}");
    let [handover] = reply.handovers.as_slice() else { panic!("{reply:?}") };
    assert_eq!((handover.router.as_str(), handover.to.as_deref()), ("VI_1", Some("192.0.2.2")));
    // The answer came when it was so.
    stage.until_state(&weak, 1, "VI_1", State::Active)?;
    assert!(stage.holds(1, stage::ADDRESS));
    wait::until("one holder", SOON, || !stage.holds(0, stage::ADDRESS))?;

    let back = stage.command(1, &["switch", "VI_1", "--to", "192.0.2.1"])?;
    assert_eq!(code(&back), 0, "{}", stderr(&back));
    let text = stdout(&back);
    assert!(text.starts_with("VI_1: handed over to 192.0.2.1 after "), "{text}");
    stage.until_state(&strong, 0, "VI_1", State::Active)
}

fn refused_switch() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, _weak) = stage.pair()?;
    for (place, words, reason) in [
        (1, ["switch", "VI_1"].as_slice(), "192.0.2.1 is Active, not this node"),
        (0, &["switch", "VI_9"], "there is no virtual router or sync group of that name"),
        (0, &["switch", "VI_1", "--to", "192.0.2.9"], "192.0.2.9 is not known as a peer"),
        (0, &["switch", "VI_1", "--to", "localhost"], "none of which is a peer of VI_1"),
        (0, &["drain", "VI_9"], "there is no virtual router or sync group of that name"),
    ] {
        let refused = stage.command(place, words)?;
        assert_eq!(code(&refused), 4, "{words:?}");
        let said = stderr(&refused);
        assert!(said.contains(reason) && said.lines().count() > 1, "{words:?}: {said}");
    }
    let router = stage.status(&strong, 0)?.routers[0].clone();
    assert_eq!((router.state, router.counters.released_active), (State::Active, 0));
    Ok(())
}

fn drain() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    let drained = stage.command(0, &["drain"])?;
    assert_eq!(code(&drained), 0, "{}", stderr(&drained));
    let text = stdout(&drained);
    assert!(text.starts_with("VI_1: handed over to 192.0.2.2 after "), "{text}");
    assert!(text.ends_with("the node is drained\n"), "{text}");
    stage.until_state(&weak, 1, "VI_1", State::Active)?;

    let before = stage.status(&strong, 0)?;
    assert!(before.drained && before.routers[0].drained, "{before:?}");
    strong.kill_speaker(stage.host(0))?;
    wait::until("another control process", SOON, || {
        stage.status(&strong, 0).is_ok_and(|status| status.pid != before.pid)
    })?;
    let after = stage.status(&strong, 0)?;
    assert!(after.drained && after.routers[0].drained, "{after:?}");
    assert_eq!(after.routers[0].effective_priority, 1);

    let undrained = stage.command(0, &["undrain"])?;
    assert_eq!((code(&undrained), &*stdout(&undrained)), (0, "the node takes part again\n"));
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    assert!(!stage.status(&strong, 0)?.drained);
    Ok(())
}

fn drained_alone() -> Checked {
    let stage = Stage::of_one()?;
    let daemon = stage.start(0, &Router::default().text())?;
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let drained = stage.command(0, &["drain", "VI_1"])?;
    assert_eq!(code(&drained), 4);
    let said = stderr(&drained);
    assert!(said.contains("virtual router VI_1: nobody took over, so this node goes on"), "{said}");
    stage.until_state(&daemon, 0, "VI_1", State::Active)?;
    let status = stage.status(&daemon, 0)?;
    assert!(status.routers[0].drained && !status.drained && stage.holds(0, stage::ADDRESS));
    let metrics = stage.metrics(0)?;
    assert!(metrics.contains("mainstay_vrrp_drained{router=\"VI_1\",vrid=\"51\",link=\"eth0\"} 1"));
    // A stop ends it.
    daemon.stop()?;
    daemon.gone()?;
    let again = stage.start(0, &Router::default().text())?;
    stage.until_state(&again, 0, "VI_1", State::Active)?;
    assert!(!stage.status(&again, 0)?.routers[0].drained);
    Ok(())
}

fn upgrade() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, _weak) = stage.pair()?;
    let before = stage.status(&strong, 0)?;
    let upgraded = stage.command(0, &["upgrade"])?;
    assert_eq!(code(&upgraded), 0, "{}\n{}", stderr(&upgraded), strong.log());
    assert!(stdout(&upgraded).starts_with("upgraded: mainstay "), "{}", stdout(&upgraded));
    stage.until_state(&strong, 0, "VI_1", State::Active)?;
    assert_ne!(stage.status(&strong, 0)?.pid, before.pid);
    wait::until("one holder", SOON, || {
        stage.holds(0, stage::ADDRESS) && !stage.holds(1, stage::ADDRESS)
    })?;
    Ok(())
}

fn explain() -> Checked {
    let stage = Stage::of_two()?;
    let (strong, weak) = stage.pair()?;
    until_watched(&stage, [&strong, &weak])?;
    wait::until("the Active to be watched", SOON, || {
        stage.status(&weak, 1).is_ok_and(|status| {
            let active = status.routers[0].active.as_ref();
            active.is_some_and(|active| active.known_by == "watched")
        })
    })?;
    let told = stdout(&stage.command(1, &["explain", "VI_1"])?);
    assert!(told.contains("192.0.2.1 holds 192.0.2.100/24 with priority 150"), "{told}");
    assert!(told.contains("If 192.0.2.1 died, this node would notice within "), "{told}");
    let told = stdout(&stage.command(0, &["explain"])?);
    assert!(told.contains("If this node died, 192.0.2.2 would notice within "), "{told}");
    let unknown = stage.command(0, &["explain", "VI_9"])?;
    assert_eq!(code(&unknown), 4);
    assert!(stderr(&unknown).contains("the names are VI_1"), "{}", stderr(&unknown));
    Ok(())
}
