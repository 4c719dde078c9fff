//! The control api: HTTP on a Unix socket in the runtime directory.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use mainstay_api as api;
use serde::de::DeserializeOwned;
use tokio::net::UnixListener;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use crate::channel::{EngineSender, Report, ToEngine};
use crate::facts::Facts;
use crate::{log, metrics, present, rehearsal};

/// A command that came in, with the place for its reply.
#[derive(Debug)]
pub(crate) enum Request {
    /// Read the settings again.
    Reload(oneshot::Sender<api::Reply>),
    /// Hand a router over.
    Switch(api::Switch, oneshot::Sender<api::Reply>),
    /// Give away, and stay away.
    Drain(api::Drain, oneshot::Sender<api::Reply>),
    /// Take part again.
    Undrain(api::Drain, oneshot::Sender<api::Reply>),
    /// Say farewell and end.
    Stop(oneshot::Sender<api::Reply>),
    /// Let the program on the disk take over.
    Upgrade(oneshot::Sender<api::Reply>),
}

/// What the paths stand on.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) engine: EngineSender,
    pub(crate) commands: mpsc::Sender<Request>,
    pub(crate) followers: broadcast::Sender<log::Followed>,
    pub(crate) facts: Facts,
}

/// The engine's thread answers within this time, or something is wrong with it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Serves until it is dropped.
pub(crate) async fn serve(listener: UnixListener, doors: Doors) {
    let routes = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/plan", get(plan))
        .route("/v1/events", get(events))
        .route("/v1/reload", post(reload))
        .route("/v1/stop", post(stop))
        .route("/v1/upgrade", post(upgrade))
        .route("/v1/switch", post(switch))
        .route("/v1/drain", post(drain))
        .route("/v1/undrain", post(undrain))
        .route("/metrics", get(measurements))
        .with_state(doors);
    if let Err(error) = axum::serve(listener, routes).await {
        log::error(format!("the control socket failed: {error}"));
    }
}

/// Nobody answered in time.
struct Silent;

impl IntoResponse for Silent {
    fn into_response(self) -> Response {
        let reply = api::Reply::refused("the engine does not answer");
        (StatusCode::SERVICE_UNAVAILABLE, Json(reply)).into_response()
    }
}

async fn report(doors: &Doors) -> Result<Box<Report>, Silent> {
    let (sender, receiver) = oneshot::channel();
    doors.engine.send(ToEngine::Status(sender));
    let answer = tokio::time::timeout(ANSWER_WITHIN, receiver).await;
    answer.map_err(|_| Silent)?.map_err(|_| Silent)
}

async fn status(State(doors): State<Doors>) -> Result<Json<api::Status>, Silent> {
    let report = report(&doors).await?;
    Ok(Json(present::status(&report, &doors.facts.now())))
}

async fn plan(State(doors): State<Doors>) -> Result<Json<api::Plan>, Silent> {
    Ok(Json(present::plan(&report(&doors).await?.steps)))
}

async fn measurements(State(doors): State<Doors>) -> Result<Response, Silent> {
    let report = report(&doors).await?;
    let text = metrics::text(&present::status(&report, &doors.facts.now()));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

async fn events(
    State(doors): State<Doors>,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let events = BroadcastStream::new(doors.followers.subscribe());
    // A follower that was too slow misses events; what it gets next is true all the same.
    let lines = events.filter_map(|event| of_line(event.ok()?)).map(Ok);
    Sse::new(lines).keep_alive(KeepAlive::new().interval(Duration::from_secs(5)))
}

fn of_line((at, line): log::Followed) -> Option<sse::Event> {
    let log::Line { level, subject, state, text, thinned: _ } = line;
    let event = api::Event { at_ms: present::unix_ms(at), level, subject, state, text };
    sse::Event::default().json_data(event).ok()
}

async fn reload(State(doors): State<Doors>) -> Response {
    command(&doors, Request::Reload).await
}

async fn stop(State(doors): State<Doors>) -> Response {
    command(&doors, Request::Stop).await
}

/// Nothing is begun with a program that does not even run.
async fn upgrade(State(doors): State<Doors>) -> Response {
    match rehearsal::rehearse().await {
        Ok(()) => command(&doors, Request::Upgrade).await,
        Err(message) => {
            let reply = api::Reply::refused(message);
            (StatusCode::CONFLICT, Json(reply)).into_response()
        }
    }
}

async fn switch(State(doors): State<Doors>, body: Bytes) -> Response {
    ordered(&doors, &body, Request::Switch).await
}

async fn drain(State(doors): State<Doors>, body: Bytes) -> Response {
    ordered(&doors, &body, Request::Drain).await
}

async fn undrain(State(doors): State<Doors>, body: Bytes) -> Response {
    ordered(&doors, &body, Request::Undrain).await
}

/// A command with an order in JSON; nothing at all stands for `{}`.
async fn ordered<T: DeserializeOwned>(
    doors: &Doors,
    body: &[u8],
    request: impl FnOnce(T, oneshot::Sender<api::Reply>) -> Request,
) -> Response {
    let body = if body.is_empty() { b"{}" } else { body };
    match serde_json::from_slice(body) {
        Ok(order) => command(doors, |reply| request(order, reply)).await,
        Err(error) => {
            let reply = api::Reply::refused(format!("the order is not understood: {error}"));
            (StatusCode::BAD_REQUEST, Json(reply)).into_response()
        }
    }
}

async fn command(
    doors: &Doors,
    request: impl FnOnce(oneshot::Sender<api::Reply>) -> Request,
) -> Response {
    let (sender, receiver) = oneshot::channel();
    if doors.commands.send(request(sender)).await.is_err() {
        return Silent.into_response();
    }
    match receiver.await {
        Ok(reply) if reply.done => Json(reply).into_response(),
        Ok(reply) => (StatusCode::CONFLICT, Json(reply)).into_response(),
        Err(_) => Silent.into_response(),
    }
}
