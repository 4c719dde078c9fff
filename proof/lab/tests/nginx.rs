//! A real nginx on the virtual address, and one behind it: the page is there after a cut.

mod suite;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use mainstay_lab::drill::{self, Act, Beat, Drill, Role, Stage, Then};
use mainstay_lab::nginx::Nginx;
use mainstay_lab::program::Program;
use mainstay_lab::{replies, wait, web};

const BOUND: Duration = Duration::from_secs(10);
const PACE: Duration = Duration::from_millis(10);

/// What other work on the machine, and a request's patience, may add to a gap.
const SLACK: Duration = Duration::from_millis(1500);

const CAST: [(&str, Program); 2] = [("KK", Program::Keepalived), ("MM", Program::Mainstay)];

fn main() -> ExitCode {
    let both = |(name, program): (&str, Program)| {
        let on = move || play(&on_the_address(), program, &[0, 1]);
        let behind = move || play(&behind_the_address(), program, &[3]);
        [
            Trial::test(format!("nginx_on_the_address::{name}"), on),
            Trial::test(format!("nginx_behind_the_address::{name}"), behind),
        ]
    };
    suite::run(2, CAST.into_iter().flat_map(both))
}

/// Each host has the page; the client asks the virtual address itself.
fn on_the_address() -> Drill {
    let beats = &[
        Beat { act: Act::Start(0), then: Then::Holds(0) },
        Beat { act: Act::Start(1), then: Then::Holds(0) },
        Beat { act: Act::Unplug(0), then: Then::Holds(1) },
        Beat { act: Act::Plug(0), then: Then::Holds(0) },
    ];
    Drill { beats, ..drill::named("v3").expect("the table has it") }
}

/// The article's routers, without its scripts: the page is on PC2, and PC1 asks for it.
fn behind_the_address() -> Drill {
    let file = |role: &Role<'_>| {
        let article = (drill::hot_standby().file)(role);
        let kept = article.lines().filter(|line| !line.trim_start().starts_with("notify_"));
        kept.collect::<Vec<_>>().join("\n")
    };
    Drill { file, ..drill::hot_standby() }
}

/// Plays every beat; after each one the client must get the page of the host that has it then.
fn play(drill: &Drill, program: Program, servers: &[usize]) -> Result<(), Failed> {
    let mut stage = Stage::build(drill, &[program; 2])?;
    let start = |place: &usize| Nginx::start(stage.cluster(), *place);
    let nginx = servers.iter().map(start).collect::<Result<Vec<_>, _>>()?;
    let told = |stage: &Stage, error: &dyn std::fmt::Display| format!("{error}\n{}", stage.logs());
    let address = SocketAddr::new(drill.target(), web::PORT);
    let names: Vec<String> =
        servers.iter().map(|place| stage.cluster().host(*place).name().to_owned()).collect();
    let mut client = None;
    for beat in drill.beats {
        let began = Instant::now();
        stage.beat(beat.act, beat.then).map_err(|error| told(&stage, &error))?;
        let holder = match beat.then {
            Then::Holds(host) => host,
            Then::Both | Then::Answers(_) | Then::Nobody => return Err("nobody is meant".into()),
        };
        let expected = if servers.len() > 1 { &names[holder] } else { &names[0] };
        let inside = stage.cluster().host(drill.hosts()).namespace();
        let page =
            || matches!(inside.run(|| web::fetch(address)), Ok(Ok(page)) if page == *expected);
        wait::until(&format!("the page of {expected} after {:?}", beat.act), BOUND, page)
            .map_err(|error| told(&stage, &error))?;
        if let Some(client) = &client {
            bounded_gap(client, began, drill.interval)?;
        } else {
            client = Some(web::Client::start(inside, address, PACE, &names, Instant::now())?);
        }
    }
    drop(nginx);
    let gone = || stage.cluster().host(drill.hosts()).namespace().run(|| web::fetch(address));
    assert!(gone()?.is_err(), "the page was not nginx's");
    Ok(())
}

/// A takeover is three intervals and the skew, which is less than one.
fn bounded_gap(client: &web::Client, began: Instant, interval: Duration) -> Result<(), Failed> {
    let record = client.record();
    let (from, to) = (record.moment(began), record.moment(Instant::now()));
    let gap = replies::longest_gap(&record.all(), from, to).length;
    let bound = interval * 4 + SLACK;
    if gap > bound {
        Err(format!("no page for {gap:?}, more than {bound:?}").into())
    } else {
        Ok(())
    }
}
