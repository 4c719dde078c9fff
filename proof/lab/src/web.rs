//! A small HTTP service that answers with its host's name, and a client that asks it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mainstay_linux::netns::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::replies::Record;
use crate::worker::Worker;

/// The port of the service.
pub const PORT: u16 = 80;

/// A request without an answer by then is given up.
const PATIENCE: Duration = Duration::from_millis(250);

/// A host's HTTP service.
#[derive(Debug)]
pub struct Website {
    _worker: Worker,
}

impl Website {
    /// Answers every request in `namespace` with `name`.
    ///
    /// # Errors
    /// The port is taken or not permitted.
    pub fn start(namespace: &Namespace, name: &str) -> io::Result<Website> {
        let listener = namespace.run(|| TcpListener::bind(("0.0.0.0", PORT)))??;
        let page = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{name}\n",
            name.len() + 1
        );
        Ok(Website { _worker: Worker::start(move |stop| serve(&listener, &page, stop)) })
    }
}

fn serve(listener: &TcpListener, page: &str, stop: &AtomicBool) {
    let look = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    while !stop.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(listener, PollFlags::IN)];
        if !matches!(poll(&mut ready, Some(&look)), Ok(1..)) {
            continue;
        }
        if let Ok((connection, _)) = listener.accept() {
            // A client that went away gets no page; it counts that itself.
            let _ = answer(&connection, page);
        }
    }
}

fn answer(mut connection: &TcpStream, page: &str) -> io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; 1024];
    if connection.read(&mut request)? > 0 {
        connection.write_all(page.as_bytes())?;
    }
    Ok(())
}

/// A client that begins a request every `pace`, whether or not the last one was answered.
#[derive(Debug)]
pub struct Client {
    record: Record,
    _workers: Vec<Worker>,
}

impl Client {
    /// Asks the service at `address` from `namespace`; `names` are the hosts, in their order.
    /// The moments of its record count from `started`.
    ///
    /// # Errors
    /// The namespace cannot be opened again.
    pub fn start(
        namespace: &Namespace,
        address: SocketAddr,
        pace: Duration,
        names: &[String],
        started: Instant,
    ) -> io::Result<Client> {
        let record = Record::new(started);
        let asking = Asking { address, record: record.clone(), names: Arc::from(names) };
        // So many that each has given up before its turn comes again.
        let turns = u32::try_from(PATIENCE.as_nanos() / pace.as_nanos().max(1) + 2);
        let turns = turns.map_err(io::Error::other)?;
        let begin = Instant::now();
        let worker = |turn: u32| {
            let inside = namespace.run(Namespace::current)??;
            let asking = asking.clone();
            Ok(Worker::start(move |stop| {
                let (first, every) = (begin + pace * turn, pace * turns);
                if inside.enter().is_ok() {
                    asking.take_turns(first, every, stop);
                }
            }))
        };
        let workers = (0..turns).map(worker).collect::<io::Result<_>>()?;
        Ok(Client { record, _workers: workers })
    }

    /// What was seen so far; it goes on growing.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

#[derive(Clone)]
struct Asking {
    address: SocketAddr,
    record: Record,
    names: Arc<[String]>,
}

impl Asking {
    fn take_turns(&self, first: Instant, every: Duration, stop: &AtomicBool) {
        let mut next = first;
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            let number = self.record.ask(Instant::now());
            let fetched = fetch(self.address);
            if fetched.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
                self.record.reset(number);
            }
            let name = fetched.unwrap_or_default();
            if let Some(by) = self.names.iter().position(|known| *known == name) {
                self.record.answer(number, by, Instant::now());
            }
            next += every;
        }
    }
}

/// One request on a connection of its own; answers the page's last line.
///
/// # Errors
/// Nobody answers in time.
pub fn fetch(address: SocketAddr) -> io::Result<String> {
    let began = Instant::now();
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    let left = PATIENCE.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
    connection.set_read_timeout(Some(left))?;
    connection.write_all(b"GET / HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    connection.take(4096).read_to_string(&mut page)?;
    Ok(page.lines().last().unwrap_or_default().to_owned())
}
