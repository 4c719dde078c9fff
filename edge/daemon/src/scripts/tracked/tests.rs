//! Scripts that cannot be run are left out wherever they are named, and the rest stays.

use mainstay_engine::vrrp::{Command, GroupSettings, TrackScript, Weight};

use super::*;
use crate::channel::to_engine;
use crate::testing::{name, router};

fn script(script: &str, words: &[&str], user: Option<&str>) -> TrackedScript {
    TrackedScript {
        name: name(script),
        command: Command {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            user: user.map(ToOwned::to_owned),
            group: None,
        },
        interval: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        weight: Weight::default(),
        rise: 1,
        fall: 1,
        starts_failed: false,
    }
}

fn track(script: &str) -> TrackScript {
    TrackScript { script: name(script), weight: None }
}

fn names(tracks: &[TrackScript]) -> Vec<String> {
    tracks.iter().map(|track| track.script.to_string()).collect()
}

#[test]
fn what_cannot_be_run_is_tracked_nowhere() {
    let mut settings = Settings::default();
    settings.vrrp.scripts = vec![
        script("good", &["/bin/true", "now"], None),
        script("gone", &["/no/such/program"], None),
        script("nobodys", &["/bin/true"], Some("no-such-user")),
        script("bare", &["no-such-program-on-the-path"], None),
    ];
    let all = ["good", "gone", "nobodys", "bare"].map(track).to_vec();
    let mut tracking = router("VI_1", 51, "eth0", 100);
    tracking.track_scripts = all.clone();
    settings.vrrp.routers = vec![tracking];
    settings.vrrp.groups = vec![GroupSettings {
        name: name("G"),
        members: vec![name("VI_1")],
        track_links: Vec::new(),
        track_scripts: all,
        track_gauges: Vec::new(),
        member_weights: false,
    }];

    let (schedules, remarks) = sift(&mut settings);
    let kept: Vec<_> = schedules.keys().map(ToString::to_string).collect();
    assert_eq!(kept, ["good"]);
    let schedule = &schedules[&name("good")];
    assert_eq!(schedule.program.words(), "/bin/true now");
    assert_eq!((schedule.interval.as_secs(), schedule.timeout.as_secs()), (2, 1));
    assert_eq!(settings.vrrp.scripts.len(), 1);
    assert_eq!(names(&settings.vrrp.routers[0].track_scripts), ["good"]);
    assert_eq!(names(&settings.vrrp.groups[0].track_scripts), ["good"]);
    assert_eq!(
        remarks,
        [
            "script gone is not tracked: `/no/such/program` is not there, or is not executable: \
             mend its path or `chmod +x` it",
            "script nobodys is not tracked: there is no user `no-such-user`: create it, or name \
             another with `user`",
            "script bare is not tracked: there is no program `no-such-program-on-the-path` on the \
             PATH: name it with its whole path",
        ]
    );
}

#[test]
fn a_program_without_a_path_is_found_with_a_remark() {
    let mut settings = Settings::default();
    settings.vrrp.scripts = vec![script("bare", &["true"], Some("root"))];
    let (schedules, remarks) = sift(&mut settings);
    assert_eq!(schedules.len(), 1);
    assert_eq!(settings.vrrp.scripts.len(), 1);
    assert!(remarks[0].starts_with("script bare: `true` has no path: /"), "{remarks:?}");
}

/// A script that hears no TERM goes on for two seconds after its time, as one that the kernel holds up does for ever.
#[test]
fn one_that_does_not_end_fails_when_its_time_is_over_and_again_whenever_it_is_due() {
    let runs = std::env::temp_dir().join(format!("mainstay-runs-{}", std::process::id()));
    let text =
        format!("trap '' TERM; echo run >> {}; while :; do sleep 0.05; done", runs.display());
    let mut deaf = script("deaf", &["/bin/sh", "-c", &text], None);
    (deaf.interval, deaf.timeout) = (Duration::from_millis(100), Duration::from_millis(300));
    let schedule = schedule(&deaf, &Node::default(), &mut Vec::new()).expect("it is fit");
    let reactor = mainstay_linux::reactor::Reactor::start().expect("epoll is there");
    let (engine, words) = to_engine(reactor.waker());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let begun = std::time::Instant::now();
    let verdicts = runtime.expect("a runtime starts").block_on(async {
        let tracking = tokio::spawn(super::track(name("deaf"), schedule, engine));
        let mut verdicts = Vec::new();
        while verdicts.len() < 3 && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            verdicts.extend(words.try_iter());
        }
        tracking.abort();
        verdicts
    });
    let run = std::fs::read_to_string(&runs).expect("it wrote that it ran");
    std::fs::remove_file(&runs).expect("the directory is writable");
    let failed = |word: &ToEngine| matches!(word, ToEngine::ScriptEnded { success: false, .. });
    assert!(verdicts.len() >= 3 && verdicts.iter().all(failed), "{verdicts:?}");
    assert!(begun.elapsed() < program::KILL_AFTER, "{:?}", begun.elapsed());
    assert_eq!(run, "run\n", "no second one beside it");
}
