//! Mail of the real daemon: sealed on its way, and nobody's adverts wait for its server.

mod smtp;
#[expect(dead_code, reason = "the tests of the daemon use the rest")]
mod stage;

use std::process::ExitCode;

use libtest_mimic::Failed;
use mainstay_api::State;
use mainstay_lab::wait;
use rustix::process::Signal;
use smtp::{Conduct, Server, certified};
use stage::run::Served;
use stage::{Checked, Router, SOON, Stage, Test, run_all, signal};

/// Ports by which keepalived.conf says how mail is sealed: from the first byte, by STARTTLS, where offered.
const SUBMISSIONS: u16 = 465;
const SUBMISSION: u16 = 587;
const SMTP: u16 = 25;

/// What the log says of a letter's first failure.
const AGAIN: &str = "again in 5s";

fn main() -> ExitCode {
    let tests: [Test; 7] = [
        ("mail_is_sealed_from_the_first_byte_on_port_465", || delivered(SUBMISSIONS)),
        ("mail_is_sealed_by_starttls_on_port_587", || delivered(SUBMISSION)),
        ("a_stop_is_told_and_what_a_reload_takes_out", leaving),
        ("a_server_of_an_unknown_authority_gets_no_mail", unknown_authority),
        ("a_server_that_never_answers_delays_no_advert", silent),
        ("a_server_that_refuses_mail_delays_no_advert", refusing),
        ("a_server_that_is_not_there_delays_no_advert", absent),
    ];
    run_all(7, tests)
}

/// A router that tells of every change by mail, to a server on this port of its own host.
fn file(port: u16) -> String {
    let router = Router { more: "smtp_alert\n", ..Router::default() };
    format!(
        "global_defs {{\nrouter_id lab\nnotification_email {{\nops@example.com\n}}\n\
         notification_email_from lab@example.com\nsmtp_server {} {port}\n\
         smtp_connect_timeout 1\n}}\n{}",
        smtp::ADDRESS,
        router.text()
    )
}

fn delivered(port: u16) -> Checked {
    let stage = Stage::of_one()?;
    let (authority, sealed) = certified(&stage.folder())?;
    let conduct = match port {
        SUBMISSIONS => Conduct::Sealed(sealed),
        _ => Conduct::SealedWhenAsked(sealed),
    };
    let server = Server::start(stage.host(0), port, conduct)?;
    let served = stage.serve_trusting(0, &file(port), &authority)?;
    let arrived = || {
        let heard = server.heard();
        heard.contains("RCPT TO:<ops@example.com>")
            && heard.contains("Subject: [lab] VRRP Instance VI_1 - Entering MASTER state")
    };
    wait::until("the letter", SOON, arrived)
        .map_err(|late| Failed::from(format!("{late}\n{}\n{}", server.heard(), served.log())))?;
    assert!(!served.log().contains(AGAIN), "{}", served.log());
    Ok(())
}

/// The subjects are keepalived's.
fn leaving() -> Checked {
    let stage = Stage::of_one()?;
    let (authority, sealed) = certified(&stage.folder())?;
    let server = Server::start(stage.host(0), SMTP, Conduct::SealedWhenAsked(sealed))?;
    let kept = file(SMTP);
    let more = |name, vrid, address, more| {
        let more = format!("smtp_alert\n{more}");
        Router { name, vrid, address, more: &more, ..Router::default() }.text()
    };
    let routers = format!(
        "vrrp_sync_group G {{\ngroup {{\nVI_1\n}}\nsmtp_alert\n}}\n{}{}",
        more("VI_2", 52, "192.0.2.102/24", "notify_deleted\n"),
        more("VI_3", 53, "192.0.2.103/24", "")
    );
    let served = stage.serve_trusting(0, &format!("{kept}{routers}"), &authority)?;
    let until = |subject: &str| {
        let line = format!("Subject: [lab] VRRP {subject}");
        wait::until(subject, SOON, || server.heard().contains(&line))
            .map_err(|late| Failed::from(format!("{late}\n{}\n{}", server.heard(), served.log())))
    };
    for name in ["VI_1", "VI_2", "VI_3"] {
        until(&format!("Instance {name} - Entering MASTER state"))?;
    }
    let group = &routers[..routers.find("vrrp_instance").ok_or("there is one")?];
    std::fs::write(stage.folder().join("served.conf"), format!("{kept}{group}"))?;
    signal(served.program()?, Signal::HUP)?;
    until("Instance VI_2 - Deleted")?;
    until("Instance VI_3 - Entering FAULT state")?;
    signal(served.program()?, Signal::TERM)?;
    until("Instance VI_1 - Stopping")?;
    until("Group G - Stopping")
}

fn unknown_authority() -> Checked {
    let stage = Stage::of_one()?;
    let (_, sealed) = certified(&stage.folder())?;
    let other = stage.folder().join("other");
    std::fs::create_dir(&other)?;
    let (believed, _) = certified(&other)?;
    let server = Server::start(stage.host(0), SUBMISSIONS, Conduct::Sealed(sealed))?;
    let served = stage.serve_trusting(0, &file(SUBMISSIONS), &believed)?;
    unmoved(&stage, &served)?;
    stage::until_logged(|| served.log(), "invalid peer certificate")?;
    assert_eq!(server.heard(), "", "it got to read something");
    Ok(())
}

fn silent() -> Checked {
    let stage = Stage::of_one()?;
    let _server = Server::start(stage.host(0), SMTP, Conduct::Silent)?;
    unmoved(&stage, &served(&stage)?)
}

fn refusing() -> Checked {
    let stage = Stage::of_one()?;
    let server = Server::start(stage.host(0), SMTP, Conduct::Refusing)?;
    let served = served(&stage)?;
    unmoved(&stage, &served)?;
    stage::until_logged(|| served.log(), "no letters here")?;
    assert!(!server.heard().contains("DATA"), "{}", server.heard());
    Ok(())
}

fn absent() -> Checked {
    let stage = Stage::of_one()?;
    unmoved(&stage, &served(&stage)?)
}

fn served(stage: &Stage) -> Result<Served, Failed> {
    let none = stage.folder().join("none.pem");
    Ok(stage.serve_trusting(0, &file(SMTP), &none)?)
}

/// The letter fails, which one line says, and the router goes on as if it had not been sent.
fn unmoved(stage: &Stage, served: &Served) -> Checked {
    let failures = || served.log().lines().filter(|line| line.contains(AGAIN)).count();
    wait::until("the failure of the letter", SOON, || failures() > 0)
        .map_err(|late| Failed::from(format!("{late}\n{}", served.log())))?;
    stage.until_shown(0, |status| status.routers[0].state == State::Active)?;
    let before = stage.shown(0)?.routers[0].counters.adverts_sent;
    stage.until_shown(0, |status| status.routers[0].counters.adverts_sent >= before + 10)?;
    let router = &stage.shown(0)?.routers[0];
    let counters = &router.counters;
    assert_eq!((counters.became_active, counters.released_active), (1, 0), "{router:?}");
    assert_eq!(failures(), 1, "{}", served.log());
    Ok(())
}
