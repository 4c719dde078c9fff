//! Named pipes that get a line for each change, and the programs that read them.
//!
//! A FIFO is open for reading as well, so that readers may come and go. Nobody waits for a reader: lines that find
//! no room wait here, and of too many the oldest are left out.

mod made;
mod reader;

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_engine::{Fifo, Node};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::awaited::awaited;
use crate::log;
use crate::scripts::notify::Subject;
use crate::scripts::program::{self, Program};
use made::Inode;
pub(crate) use made::Made;
use reader::Reader;

/// So many lines wait for room; the pipe itself holds some thousand more.
const WAITING_MAX: usize = 1024;
/// How long a reader may read on when nothing more comes.
const END_WITHIN: Duration = Duration::from_secs(2);

/// All FIFOs.
#[derive(Debug, Default)]
pub(super) struct Fifos {
    open: Vec<Pipe>,
    /// Those that are not written any more; each ends by itself.
    closing: JoinSet<()>,
    made: Ledger,
}

/// The FIFOs that were made here, for those that end by themselves as well.
#[derive(Clone, Debug, Default)]
struct Ledger(Arc<Mutex<Made>>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Pipe {
    settings: Fifo,
    inode: Option<Inode>,
    lines: mpsc::UnboundedSender<String>,
    writer: JoinHandle<()>,
    reader: Option<Reader>,
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
    /// None is open; these were made by an earlier process.
    pub(super) fn after(made: Made) -> Fifos {
        Fifos { made: Ledger(Arc::new(Mutex::new(made))), ..Fifos::default() }
    }

    /// Those that were made here.
    pub(super) fn made(&self) -> Made {
        self.made.lock().clone()
    }

    /// Opens these, and closes all others. One that is open stays so, whatever else changed about it.
    pub(super) fn configure(&mut self, asked: &[Fifo], node: &Node) {
        let mut before = std::mem::take(&mut self.open);
        for fifo in asked {
            let is_it = |pipe: &Pipe| pipe.settings.path == fifo.path && pipe.is_there();
            let pipe = match before.iter().position(is_it) {
                Some(number) => Ok(before.swap_remove(number)),
                None => Pipe::open(fifo, &mut self.made.lock()),
            };
            match pipe {
                Ok(mut pipe) => {
                    pipe.take(fifo, node, &self.made.lock());
                    self.open.push(pipe);
                }
                Err(error) => {
                    log::error(format!("FIFO {} is not written: {error}", fifo.path.display()));
                }
            }
        }
        for pipe in before {
            let still = self.open.iter().any(|open| open.settings.path == pipe.settings.path);
            self.close(pipe, !still);
        }
    }

    /// Writes a line to each; never waits.
    pub(super) fn write(&self, line: &str) {
        for pipe in &self.open {
            // Its task ends with this value.
            let _ = pipe.lines.send(line.to_owned());
        }
    }

    /// Waits until all lines are written and all readers have ended, for so long at most. What was made here goes,
    /// unless another process goes on with it.
    pub(super) async fn finish(&mut self, limit: Duration, goes_on: bool) {
        let open: Vec<Pipe> = self.open.drain(..).collect();
        let paths: Vec<PathBuf> = open.iter().map(|pipe| pipe.settings.path.clone()).collect();
        open.into_iter().for_each(|pipe| self.close(pipe, !goes_on));
        let all = async { while self.closing.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            log::warning(format!(
                "readers of FIFOs still run after {limit:?}: not waiting any longer"
            ));
        }
        paths.iter().for_each(|path| self.made.lock().remove(path));
    }

    /// It writes what it has, lets its reader read that, and ends by itself.
    fn close(&mut self, pipe: Pipe, goes: bool) {
        let Pipe { settings, lines, writer, reader, .. } = pipe;
        if goes {
            self.made.lock().leave(&settings.path);
        }
        let made = self.made.clone();
        drop(lines);
        self.closing.spawn(async move {
            // It fails only with a message of its own.
            let _ = writer.await;
            if let Some(reader) = reader {
                reader.end(END_WITHIN).await;
            }
            made.lock().remove(&settings.path);
        });
    }
}

impl Pipe {
    /// Opens what is there under that path, or makes it.
    fn open(settings: &Fifo, made: &mut Made) -> io::Result<Pipe> {
        if make(settings)? {
            made.note(&settings.path);
        }
        made.stay(&settings.path);
        let descriptor = awaited(open(&settings.path)?)?;
        let (lines, incoming) = mpsc::unbounded_channel();
        let path = settings.path.clone();
        Ok(Pipe {
            settings: settings.clone(),
            inode: Inode::at(&path),
            lines,
            writer: tokio::spawn(async move { write_all(descriptor, incoming, &path).await }),
            reader: None,
        })
    }

    /// Whether its path still leads to it.
    fn is_there(&self) -> bool {
        self.inode.is_some() && Inode::at(&self.settings.path) == self.inode
    }

    /// Takes other settings; a reader that would be started the same way reads on.
    fn take(&mut self, settings: &Fifo, node: &Node, made: &Made) {
        let owner = |fifo: &Fifo| (fifo.user.clone(), fifo.group.clone());
        let path = &settings.path;
        if owner(settings) != owner(&self.settings)
            && made.has(path)
            && let Err(error) = own(settings)
        {
            log::error(format!("FIFO {}: {error}", path.display()));
        }
        self.settings = settings.clone();
        let asked = reader_of(settings, node);
        if asked.as_ref() == self.reader.as_ref().map(|reader| &reader.program) {
            return;
        }
        let before = self.reader.take();
        match asked {
            Some(program) => self.reader = Some(Reader::start(program, path, before)),
            None => drop(before.map(|before| tokio::spawn(before.end(Duration::ZERO)))),
        }
    }
}

/// The program that is to read it, if there is one that may be run.
fn reader_of(settings: &Fifo, node: &Node) -> Option<Program> {
    match program::prepare(settings.script.as_ref()?, node) {
        Ok(prepared) => {
            prepared.warnings.iter().for_each(|odd| log::warning(format!("FIFO script: {odd}")));
            Some(prepared.program)
        }
        Err(unfit) => {
            log::error(format!("FIFO {}: {unfit}", settings.path.display()));
            None
        }
    }
}

/// Makes the FIFO if it is not there; whether it did. One that may not be given to whom it is for is not left behind.
fn make(settings: &Fifo) -> io::Result<bool> {
    let mode = Mode::from_raw_mode(0o644);
    match rustix::fs::mknodat(CWD, &settings.path, FileType::Fifo, mode, 0) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = own(settings) {
        // What is left to say is why it could not be given away.
        let _ = std::fs::remove_file(&settings.path);
        return Err(error);
    }
    Ok(true)
}

/// Gives the FIFO to whom the settings say.
fn own(settings: &Fifo) -> io::Result<()> {
    let Some(user) = &settings.user else { return Ok(()) };
    let (user, group) = program::ids(user, settings.group.as_ref()).map_err(io::Error::other)?;
    std::os::unix::fs::lchown(&settings.path, Some(user), Some(group))
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
                    log::error(format!("FIFO {}: {error}", path.display()));
                    waiting.clear();
                }
            },
        }
        if waiting.len() > WAITING_MAX {
            waiting.pop_front();
            left_out += 1;
            if left_out == 1 {
                log::warning(format!(
                    "nobody reads FIFO {}: the oldest lines are left out",
                    path.display()
                ));
            }
        } else if waiting.is_empty() && left_out > 0 {
            log::warning(format!(
                "FIFO {} is read again: {left_out} lines were left out",
                path.display()
            ));
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

#[cfg(test)]
mod tests;
