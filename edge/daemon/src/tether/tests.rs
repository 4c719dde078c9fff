//! Both ends of a tether in one process.

use mainstay_base::Instant;
use mainstay_linux::pulse::PulseView;

use super::*;
use crate::runtime_dir::listen;

fn accept(listener: &std::os::unix::net::UnixListener) -> Listening {
    let (stream, _) = listener.accept().expect("a connection waits");
    Listening::new(stream).expect("a stream can be non-blocking")
}

fn tether(path: &Path) -> Tether {
    let pulse = Pulse::start().expect("memory is there");
    Tether::new(path.to_owned(), vec!["run".into()], pulse)
}

#[test]
fn a_new_supervisor_is_told_all_that_the_last_one_knew() {
    let path = std::env::temp_dir().join(format!("mainstay-tether-{}", std::process::id()));
    let mut tether = tether(&path);
    tether.tell(&Message::Ready("2 routers".into()));
    tether.tell(&Message::Will(Will::default()));
    tether.mend();
    for supervisor in 1..=2 {
        let listener = listen(&path).expect("the path is free");
        // The end of the last line is noticed first.
        assert_eq!(tether.orders(), []);
        tether.mend();
        let mut end = accept(&listener);
        let (messages, open) = end.drain();
        assert!(open);
        assert!(matches!(messages[0], Message::Hello { upgrading: false, .. }));
        assert_eq!(
            messages[1..],
            [Message::Ready("2 routers".into()), Message::Will(Will::default())]
        );
        let carried: [OwnedFd; 2] = end.take_carried().try_into().expect("page and alarm came");
        let [page, alarm] = carried;
        let view = PulseView::open(&page, Some(alarm)).expect("it is a pulse");
        tether.pulse().beat(Instant::from_nanos(5));
        assert_eq!(view.look().beats, supervisor);
        assert!(end.take_carried().is_empty());
    }
    std::fs::remove_file(&path).expect("the socket is ours");
}

#[test]
fn an_order_arrives() {
    let path = std::env::temp_dir().join(format!("mainstay-order-{}", std::process::id()));
    let listener = listen(&path).expect("the path is free");
    let mut tether = tether(&path);
    tether.mend();
    let mut end = accept(&listener);
    assert_eq!(tether.orders(), []);
    end.order(Order::Resign).expect("somebody listens");
    assert_eq!(tether.orders(), [Order::Resign]);
    std::fs::remove_file(&path).expect("the socket is ours");
}

#[test]
fn a_supervisor_that_accepts_nobody_is_not_waited_for() {
    let path = std::env::temp_dir().join(format!("mainstay-deaf-{}", std::process::id()));
    let _listener = listen(&path).expect("the path is free");
    let mut waiting = Vec::new();
    let full = loop {
        match connect_at_once(&path) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100_000, "the queue has no end");
    };
    std::fs::remove_file(&path).expect("the socket is ours");
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    assert!(!waiting.is_empty());
}

#[test]
fn half_a_line_waits_and_nonsense_is_passed_over() {
    let mut inbox = b"nonsense\n\"reloading\"\n\"fare".to_vec();
    assert_eq!(complete::<Message>(&mut inbox), [Message::Reloading]);
    inbox.extend(b"well\"\n");
    assert_eq!(complete::<Message>(&mut inbox), [Message::Farewell]);
    assert!(inbox.is_empty());
}
