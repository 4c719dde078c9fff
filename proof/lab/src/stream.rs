//! One TCP connection that is asked again and again, for as long as it lasts.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mainstay_linux::netns::Namespace;

use crate::worker::Worker;

/// How long a thread waits before it looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// From an answer to the next request.
const PACE: Duration = Duration::from_millis(5);

/// A client and a server that are connected once.
#[derive(Debug)]
pub struct Stream {
    answers: Arc<AtomicU64>,
    end: Arc<Mutex<Option<String>>>,
    _client: Worker,
    _server: Worker,
}

impl Stream {
    /// Connects `client` with a server that answers at `address` in `server`.
    ///
    /// # Errors
    /// It cannot be connected within a minute.
    pub fn open(client: &Namespace, server: &Namespace, address: SocketAddr) -> io::Result<Stream> {
        let listener = server.run(|| TcpListener::bind(address))??;
        let near =
            client.run(|| TcpStream::connect_timeout(&address, Duration::from_secs(60)))??;
        let (far, _) = listener.accept()?;
        for end in [&near, &far] {
            end.set_nodelay(true)?;
            end.set_read_timeout(Some(LOOK))?;
        }
        let (answers, end) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Option<String>>>::default());
        let (counted, told) = (Arc::clone(&answers), Arc::clone(&end));
        let asking = move |stop: &AtomicBool| {
            if let Err(error) = ask(near, &counted, stop) {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
        };
        Ok(Stream {
            answers,
            end,
            _client: Worker::start(asking),
            _server: Worker::start(move |stop| answer(far, stop)),
        })
    }

    /// How many answers the client has got.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Why the connection ended, if it did.
    pub fn end(&self) -> Option<String> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn ask(mut server: TcpStream, answers: &AtomicU64, stop: &AtomicBool) -> io::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        server.write_all(b"?")?;
        if read(&mut server, stop)?.is_some() {
            answers.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(PACE);
    }
    Ok(())
}

fn answer(mut client: TcpStream, stop: &AtomicBool) {
    // What ends the connection is told by the client.
    while let Ok(Some(byte)) = read(&mut client, stop) {
        if client.write_all(&[byte]).is_err() {
            return;
        }
    }
}

/// The next byte, or none when the thread is to end.
fn read(from: &mut TcpStream, stop: &AtomicBool) -> io::Result<Option<u8>> {
    let mut byte = [0];
    while !stop.load(Ordering::Relaxed) {
        match from.read_exact(&mut byte) {
            Ok(()) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
