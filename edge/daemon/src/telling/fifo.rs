//! Named pipes that get a line for each change, and the programs that read them.
//!
//! A FIFO is open for reading as well, so that readers may come and go. Nobody waits for a reader: lines that find
//! no room wait here, and of too many the oldest are left out.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_engine::{Fifo, Node};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::awaited::awaited;
use crate::scripts::notify::Subject;
use crate::scripts::program::{self, Program};

/// So many lines wait for room; the pipe itself holds some thousand more.
const WAITING_MAX: usize = 1024;
/// A reader that has ended is started again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long a reader may read on when nothing more comes.
const END_WITHIN: Duration = Duration::from_secs(2);

/// All FIFOs.
#[derive(Debug, Default)]
pub(super) struct Fifos {
    open: Vec<Pipe>,
    node: Node,
}

#[derive(Debug)]
struct Pipe {
    settings: Fifo,
    lines: mpsc::UnboundedSender<String>,
    end: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// keepalived's line; a group has no priority. A name never breaks the line.
pub(super) fn line(subject: &Subject, word: &str, priority: u8) -> String {
    let (kind, name, priority) = match subject {
        Subject::Router(name) => ("INSTANCE", name, priority),
        Subject::Group(name) => ("GROUP", name, 0),
    };
    let name = name.as_str().replace(char::is_control, " ");
    format!("{kind} \"{name}\" {word} {priority}\n")
}

impl Fifos {
    /// Opens these, and closes all others; one that did not change stays open.
    pub(super) fn configure(&mut self, asked: &[Fifo], node: &Node) {
        let same_node = self.node == *node;
        let (kept, gone) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|pipe| same_node && asked.contains(&pipe.settings));
        self.open = kept;
        self.node.clone_from(node);
        // They write what they have, and end by themselves.
        drop::<Vec<Pipe>>(gone);
        for fifo in asked {
            if self.open.iter().any(|pipe| pipe.settings == *fifo) {
                continue;
            }
            match Pipe::start(fifo, node) {
                Ok(pipe) => self.open.push(pipe),
                Err(error) => {
                    tracing::error!("FIFO {} is not written: {error}", fifo.path.display());
                }
            }
        }
    }

    /// Writes a line to each; never waits.
    pub(super) fn write(&self, line: &str) {
        for pipe in &self.open {
            // Its task ends with this value.
            let _ = pipe.lines.send(line.to_owned());
        }
    }

    /// Waits until all lines are written and all readers have ended, for so long at most.
    pub(super) async fn finish(&mut self, limit: Duration) {
        let tasks: Vec<_> = self.open.drain(..).filter_map(|mut pipe| pipe.task.take()).collect();
        let all = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("readers of FIFOs still run after {limit:?}: not waiting any longer");
        }
    }
}

impl Pipe {
    fn start(settings: &Fifo, node: &Node) -> io::Result<Pipe> {
        let made = make(settings)?;
        let descriptor = awaited(open(&settings.path)?)?;
        let reader =
            settings.script.as_ref().and_then(|command| match program::prepare(command, node) {
                Ok(prepared) => {
                    prepared.warnings.iter().for_each(|odd| tracing::warn!("FIFO script: {odd}"));
                    Some(prepared.program)
                }
                Err(unfit) => {
                    tracing::error!("FIFO {}: {unfit}", settings.path.display());
                    None
                }
            });
        let (lines, incoming) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let path = settings.path.clone();
        let work = async move {
            let reading = reader.map(|program| tokio::spawn(read(program, path.clone(), ended)));
            write_all(descriptor, incoming, &path).await;
            if let Some(reading) = reading {
                let _ = tokio::time::timeout(END_WITHIN, reading).await;
            }
            if made {
                let _ = std::fs::remove_file(&path);
            }
        };
        Ok(Pipe {
            settings: settings.clone(),
            lines,
            end: Some(end),
            task: Some(tokio::spawn(work)),
        })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // The reader is not started again.
            let _ = end.send(());
        }
    }
}

/// Makes the FIFO if it is not there; whether it did.
fn make(settings: &Fifo) -> io::Result<bool> {
    let mode = Mode::from_raw_mode(0o644);
    match rustix::fs::mknodat(CWD, &settings.path, FileType::Fifo, mode, 0) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    if let Some(user) = &settings.user {
        let (user, group) =
            program::ids(user, settings.group.as_ref()).map_err(io::Error::other)?;
        std::os::unix::fs::lchown(&settings.path, Some(user), Some(group))?;
    }
    Ok(true)
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&descriptor)?.st_mode);
    if kind == FileType::Fifo { Ok(descriptor) } else { Err(io::Error::other("it is no FIFO")) }
}

/// Writes lines until no more come.
async fn write_all(
    pipe: AsyncFd<OwnedFd>,
    mut incoming: mpsc::UnboundedReceiver<String>,
    path: &Path,
) {
    let mut waiting = VecDeque::new();
    let mut left_out = 0_u64;
    loop {
        tokio::select! {
            line = incoming.recv() => match line {
                Some(line) => waiting.push_back(line),
                None => break,
            },
            written = write_some(&pipe, &waiting), if !waiting.is_empty() => match written {
                Ok(lines) => drop(waiting.drain(..lines)),
                Err(error) => {
                    tracing::error!("FIFO {}: {error}", path.display());
                    waiting.clear();
                }
            },
        }
        if waiting.len() > WAITING_MAX {
            waiting.pop_front();
            left_out += 1;
            if left_out == 1 {
                tracing::warn!(
                    "nobody reads FIFO {}: the oldest lines are left out",
                    path.display()
                );
            }
        } else if waiting.is_empty() && left_out > 0 {
            tracing::warn!("FIFO {} is read again: {left_out} lines were left out", path.display());
            left_out = 0;
        }
    }
    // What finds room at once is written; nobody may be there to read the rest.
    while let Some(line) = waiting.pop_front() {
        if rustix::io::write(pipe.get_ref(), line.as_bytes()).is_err() {
            break;
        }
    }
}

/// Writes as many lines as find room, each whole; how many.
async fn write_some(pipe: &AsyncFd<OwnedFd>, lines: &VecDeque<String>) -> io::Result<usize> {
    let mut written = 0;
    while written == 0 {
        let mut ready = pipe.ready(Interest::WRITABLE).await?;
        for line in lines {
            match rustix::io::write(pipe.get_ref(), line.as_bytes()) {
                Ok(_whole) => written += 1,
                Err(rustix::io::Errno::INTR) => break,
                Err(rustix::io::Errno::AGAIN) => {
                    ready.clear_ready();
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(written)
}

/// Keeps the reader running until nothing more comes; then it ends by itself, or is ended.
async fn read(program: Program, path: PathBuf, mut ended: oneshot::Receiver<()>) {
    let further = [path.to_string_lossy().into_owned()];
    loop {
        let mut run = std::pin::pin!(program.run_until_dropped(&further));
        tokio::select! {
            result = &mut run => match result {
                Ok(status) => {
                    tracing::warn!("{}: {status}; it is started again", program.words());
                }
                Err(error) => tracing::error!("cannot run {}: {error}", program.words()),
            },
            _ = &mut ended => {
                let _ = tokio::time::timeout(END_WITHIN, run).await;
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            _ = &mut ended => return,
        }
    }
}

#[cfg(test)]
mod tests;
