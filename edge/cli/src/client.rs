//! Speaks HTTP to the daemon over its control socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use mainstay_api as api;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use crate::exit::Error;

/// The daemon of one runtime directory.
#[derive(Debug)]
pub struct Client {
    runtime_dir: PathBuf,
    socket: PathBuf,
    runtime: Runtime,
}

/// An answer is there within this time, or the daemon counts as unreachable. A stop waits for
/// notify scripts, which the daemon bounds by itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

impl Client {
    /// A client for the daemon of a runtime directory; nothing is opened yet.
    ///
    /// # Errors
    /// The machine has no file descriptors left.
    pub fn new(runtime_dir: &Path) -> Result<Client, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let socket = runtime_dir.join(api::SOCKET);
        Ok(Client { runtime_dir: runtime_dir.to_owned(), socket, runtime })
    }

    /// Where the daemon keeps its socket.
    pub fn runtime_dir(&self) -> &Path {
        &self.runtime_dir
    }

    /// What a path holds: `status`, `plan`.
    ///
    /// # Errors
    /// Nobody answers, or not in this language.
    pub fn get<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        self.runtime.block_on(self.ask(Method::GET, what))
    }

    /// Commands something that may last, with its order in JSON. While there is no answer, `waiting` is told
    /// every second how long it has been. The answer may be a refusal.
    ///
    /// # Errors
    /// Nobody answers within `patience`.
    pub fn order(
        &self,
        what: &str,
        order: &impl Serialize,
        patience: Duration,
        mut waiting: impl FnMut(Duration),
    ) -> Result<api::Reply, Error> {
        let body = serde_json::to_vec(order).map_err(|error| self.unknown(&error))?;
        self.runtime.block_on(async {
            let began = tokio::time::Instant::now();
            let mut answer = std::pin::pin!(self.answer(Method::POST, what, body.into()));
            loop {
                match tokio::time::timeout(Duration::from_secs(1), &mut answer).await {
                    Ok(answer) => return answer,
                    Err(_) if began.elapsed() < patience => waiting(began.elapsed()),
                    Err(_) => return Err(self.unreachable(&"it does not answer in time")),
                }
            }
        })
    }

    /// Lets a moment pass before the daemon is asked again.
    pub fn wait(&self, moment: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(moment).await });
    }

    /// Commands something: `reload`, `stop`.
    ///
    /// # Errors
    /// Nobody answers, or the daemon refuses.
    pub fn command(&self, what: &str) -> Result<String, Error> {
        let reply: api::Reply = self.runtime.block_on(self.ask(Method::POST, what))?;
        if reply.done { Ok(reply.message) } else { Err(Error::Refused(reply.message)) }
    }

    /// Hands the status to `tell` at once, at every event (with it) and every second, until
    /// `tell` fails or the daemon ends.
    ///
    /// # Errors
    /// Nobody answers at first, or `tell` failed.
    pub fn follow(
        &self,
        mut tell: impl FnMut(Option<api::Event>, api::Status) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.runtime.block_on(async {
            let mut body = self.request(Method::GET, "events", Bytes::new()).await?.into_body();
            tell(None, self.ask(Method::GET, "status").await?)?;
            let mut text = String::new();
            loop {
                let events = match tokio::time::timeout(Duration::from_secs(1), body.frame()).await
                {
                    Err(_) => vec![None],
                    Ok(None | Some(Err(_))) => return Ok(()),
                    Ok(Some(Ok(frame))) => {
                        let bytes = frame.data_ref().map_or(&b""[..], |bytes| bytes);
                        text.push_str(&String::from_utf8_lossy(bytes));
                        complete_events(&mut text).into_iter().map(Some).collect()
                    }
                };
                for event in events {
                    // A daemon that tells its last events is about to end.
                    let Ok(status) = self.ask(Method::GET, "status").await else { return Ok(()) };
                    tell(event, status)?;
                }
            }
        })
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, what: &str) -> Result<T, Error> {
        let answer = self.answer(method, what, Bytes::new());
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unreachable(&"it does not answer in time")),
        }
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        method: Method,
        what: &str,
        body: Bytes,
    ) -> Result<T, Error> {
        let body = self.request(method, what, body).await?.into_body();
        let bytes = body.collect().await.map_err(|error| self.unreachable(&error))?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|error| match serde_json::from_slice(&bytes) {
            Ok(api::Reply { done: false, message, .. }) => Error::Refused(message),
            Ok(_) | Err(_) => self.unknown(&error),
        })
    }

    async fn request(
        &self,
        method: Method,
        what: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|error| self.unreachable(&error))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| self.unreachable(&error))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("/{}/{what}", api::VERSION))
            .header("host", "mainstay")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| self.unknown(&error))?;
        sender.send_request(request).await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { socket: self.socket.display().to_string(), reason: reason.to_string() }
    }

    fn unknown(&self, reason: &dyn std::fmt::Display) -> Error {
        Error::Answer { socket: self.socket.display().to_string(), reason: reason.to_string() }
    }
}

/// Takes the complete events off the front of a stream of server-sent events.
fn complete_events(text: &mut String) -> Vec<api::Event> {
    let Some(end) = text.rfind("\n\n") else { return Vec::new() };
    let complete: String = text.drain(..end + 2).collect();
    complete
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|json| serde_json::from_str(json.trim()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_and_the_rest_waits() {
        let event = r#"{"at_ms":1,"level":"info","subject":"VI_1","state":"active","text":"x"}"#;
        let mut text = format!(": alive\n\ndata: {event}\n\ndata: {{\"at_ms\"");
        let events = complete_events(&mut text);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].subject.as_deref(), Some("VI_1"));
        assert_eq!(text, "data: {\"at_ms\"");
    }
}
