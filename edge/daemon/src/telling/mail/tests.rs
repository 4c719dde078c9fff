//! Mail to servers that take it, refuse it, or do not answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use mainstay_engine::vrrp::StateName;

use super::*;
use crate::testing::name;

fn settings(port: u16) -> Mail {
    Mail {
        to: vec!["one@example.com".to_owned(), "Two <two@example.com>".to_owned()],
        from: Some("r1@example.com".to_owned()),
        server: "127.0.0.1".to_owned(),
        port,
        hello: None,
        timeout: Duration::from_secs(5),
        security: MailSecurity::WhereOffered,
        faults: false,
    }
}

/// A mail server for one conversation after the other; it hands on what it was sent.
fn server(answer_to_mail: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if converse(stream, answer_to_mail).is_none_or(|mail| sender.send(mail).is_err()) {
                return;
            }
        }
    });
    (port, received)
}

fn converse(mut stream: TcpStream, answer_to_mail: &str) -> Option<String> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut say = |text: &str| write!(stream, "{text}\r\n").ok();
    say("220 test")?;
    let mut conversation = String::new();
    let mut in_letter = false;
    while let Some(Ok(line)) = lines.next() {
        conversation += &format!("{line}\n");
        let answer = match line.split(' ').next() {
            _ if in_letter && line != "." => continue,
            _ if in_letter => {
                in_letter = false;
                "250 taken"
            }
            Some("EHLO") => "250 test",
            Some("MAIL") => answer_to_mail,
            Some("DATA") => {
                in_letter = true;
                "354 go on"
            }
            Some("QUIT") => {
                say("221 bye")?;
                break;
            }
            _ => "250 good",
        };
        say(answer)?;
    }
    Some(conversation)
}

fn mailer(settings: &Mail) -> Mailer {
    let mut mailer = Mailer::default();
    mailer.configure(Some(settings), "r1");
    mailer
}

#[tokio::test]
async fn a_letter_reaches_all_recipients_with_keepaliveds_subject() {
    let (port, received) = server("250 good");
    let mut mailer = mailer(&settings(port));
    mailer.send(&Subject::Router(name("VI_1")), Tiding::State(StateName::Fault), 100);
    mailer.send(&Subject::Router(name("VI_1")), Tiding::State(StateName::Active), 100);
    mailer.finish(Duration::from_secs(10)).await;
    let letter = received.recv_timeout(Duration::from_secs(10)).expect("a conversation");
    for expected in [
        "EHLO r1",
        "MAIL FROM:<r1@example.com>",
        "RCPT TO:<one@example.com>",
        "RCPT TO:<two@example.com>",
        "Subject: [r1] VRRP Instance VI_1 - Entering MASTER state",
    ] {
        assert!(letter.contains(expected), "{expected} is missing in\n{letter}");
    }
    assert!(!letter.contains("FAULT"), "faults are not to be told:\n{letter}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_holds_nobody_up() {
    // It accepts by its backlog, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut mailer = mailer(&Mail { timeout: Duration::from_millis(200), ..settings(port) });
    let begun = Instant::now();
    for _ in 0..10 * WAITING_MAX {
        mailer.send(&Subject::Router(name("VI_1")), Tiding::State(StateName::Active), 100);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "sending never waits");
    mailer.finish(Duration::from_millis(500)).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "and stopping not for long");
}

#[tokio::test]
async fn a_refused_letter_is_given_up_at_a_stop() {
    let (port, received) = server("550 no");
    let mut mailer = mailer(&settings(port));
    mailer.send(&Subject::Group(name("G")), Tiding::State(StateName::Backup), 0);
    let begun = Instant::now();
    mailer.finish(Duration::from_secs(10)).await;
    assert!(begun.elapsed() < Duration::from_secs(9), "it is not tried again at a stop");
    let conversation = received.recv_timeout(Duration::from_secs(10)).expect("a conversation");
    assert!(!conversation.contains("DATA"), "{conversation}");
}

#[tokio::test]
async fn a_letter_is_not_sent_in_the_open_where_it_must_be_sealed() {
    for security in [MailSecurity::StartTls, MailSecurity::Tls] {
        let (port, received) = server("250 good");
        let mut mailer = mailer(&Mail { security, ..settings(port) });
        mailer.send(&Subject::Router(name("VI_1")), Tiding::State(StateName::Active), 100);
        mailer.finish(Duration::from_secs(10)).await;
        let conversation = received.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
        assert!(!conversation.contains("MAIL FROM"), "{security:?}: {conversation}");
    }
}

#[test]
fn odd_names_of_nodes_make_no_odd_addresses() {
    assert_eq!(host_part("r 1@home\n"), "r1home");
    assert_eq!(host_part("\u{e9}"), "localhost");
}
