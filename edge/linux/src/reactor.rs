//! Waits for sockets, for a deadline and for other threads.

mod exact;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use mainstay_base::Instant;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::clock;

/// Events taken from the kernel at once; the rest comes with the next wait.
const AT_ONCE: usize = 64;

const TIMER: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;

/// Which source is readable: a number that its owner chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u32);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A source can be read, or has failed; it is told again until that is over.
    Source(Token),
    /// The deadline is reached.
    Deadline,
    /// Another thread called [`Waker::wake`] since the last wait.
    Woken,
}

/// One thread's sources, with one deadline. Waiting allocates nothing.
pub struct Reactor {
    epoll: OwnedFd,
    timer: OwnedFd,
    waker: Waker,
    armed: Option<Instant>,
    /// The kernel can be told to wait for less than a millisecond (5.11 and later): two calls less for each
    /// deadline than with a timer.
    waits_exactly: bool,
    events: Vec<epoll::Event>,
    ready: Vec<Ready>,
}

impl Reactor {
    /// A reactor without sources.
    ///
    /// # Errors
    /// Descriptors have run out.
    pub fn start() -> io::Result<Reactor> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        let wakes = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
        epoll::add(&epoll, &wakes, EventData::new_u64(WAKER), EventFlags::IN)?;
        Ok(Reactor {
            epoll,
            timer,
            waker: Waker { wakes: Arc::new(wakes) },
            armed: None,
            waits_exactly: true,
            events: Vec::with_capacity(AT_ONCE),
            ready: Vec::with_capacity(AT_ONCE),
        })
    }

    /// Listens to a source. It leaves by itself when its last descriptor is closed.
    ///
    /// # Errors
    /// It is here already, or it is of a kind that cannot be waited for.
    pub fn add(&self, source: impl AsFd, token: Token) -> io::Result<()> {
        let number = EventData::new_u64(u64::from(token.0));
        Ok(epoll::add(&self.epoll, source, number, EventFlags::IN)?)
    }

    /// Listens to a source no longer.
    ///
    /// # Errors
    /// It is not here.
    pub fn remove(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// What other threads use to end a wait.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits until something is ready, at the latest until `deadline`; then says what. A signal
    /// may end it early, with nothing ready.
    ///
    /// # Errors
    /// The kernel's descriptors failed.
    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<&[Ready]> {
        if let (Some(at), true) = (deadline, self.waits_exactly) {
            match exact::wait(self.epoll.as_fd(), &mut self.events, at.since(clock::now())) {
                Err(Errno::NOSYS) => self.waits_exactly = false,
                result => {
                    result?;
                    self.read_events()?;
                    if self.ready.is_empty() && clock::now() >= at {
                        self.ready.push(Ready::Deadline);
                    }
                    return Ok(&self.ready);
                }
            }
        }
        self.arm(deadline)?;
        self.take(None)
    }

    /// Says what is ready at this moment, without waiting.
    ///
    /// # Errors
    /// The kernel's descriptors failed.
    pub fn look(&mut self) -> io::Result<&[Ready]> {
        self.take(Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
    }

    /// What the last [`Reactor::wait`] or [`Reactor::look`] found.
    pub fn ready(&self) -> &[Ready] {
        &self.ready
    }

    fn take(&mut self, within: Option<&Timespec>) -> io::Result<&[Ready]> {
        self.events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), within) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        self.read_events()?;
        Ok(&self.ready)
    }

    fn read_events(&mut self) -> io::Result<()> {
        self.ready.clear();
        for event in &self.events {
            match event.data.u64() {
                TIMER => {
                    empty(&self.timer)?;
                    self.armed = None;
                    self.ready.push(Ready::Deadline);
                }
                WAKER => {
                    empty(&self.waker.wakes)?;
                    self.ready.push(Ready::Woken);
                }
                number => {
                    let token = u32::try_from(number).expect("tokens are of 32 bits");
                    self.ready.push(Ready::Source(Token(token)));
                }
            }
        }
        Ok(())
    }

    fn arm(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        if self.armed == deadline {
            return Ok(());
        }
        const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = deadline.map_or(NEVER, clock::timespec);
        let setting = Itimerspec { it_interval: NEVER, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &setting)?;
        self.armed = deadline;
        Ok(())
    }
}

/// Reads the count away, so that the descriptor is no longer readable.
fn empty(counter: impl AsFd) -> io::Result<()> {
    match rustix::io::read(counter, &mut [0; 8]) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Ends another thread's wait; any number of calls before that wait count as one.
#[derive(Clone, Debug)]
pub struct Waker {
    wakes: Arc<OwnedFd>,
}

impl Waker {
    /// Ends the wait of the reactor, the one that is on or the next one. Never blocks.
    pub fn wake(&self) {
        // It fails only when the count is full: the wait ends then as well.
        let _ = rustix::io::write(&*self.wakes, &1u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_deadline_is_met_and_never_early() {
        let mut reactor = Reactor::start().expect("starts");
        for _ in 0..3 {
            let at = clock::now() + Duration::from_millis(5);
            assert_eq!(reactor.wait(Some(at)).expect("waits"), [Ready::Deadline]);
            assert!(clock::now() >= at);
        }
        let past = clock::now() - Duration::from_secs(1);
        assert_eq!(reactor.wait(Some(past)).expect("waits"), [Ready::Deadline]);
        assert_eq!(reactor.wait(Some(Instant::ZERO)).expect("waits"), [Ready::Deadline]);
    }

    #[test]
    fn a_kernel_without_exact_waits_gets_a_timer() {
        let mut reactor = Reactor::start().expect("starts");
        reactor.waits_exactly = false;
        for _ in 0..3 {
            let at = clock::now() + Duration::from_millis(5);
            assert_eq!(reactor.wait(Some(at)).expect("waits"), [Ready::Deadline]);
            assert!(clock::now() >= at);
        }
    }

    #[test]
    fn a_deadline_that_is_taken_back_does_not_fire() {
        let mut reactor = Reactor::start().expect("starts");
        let (one, two) = UnixDatagram::pair().expect("a pair");
        reactor.add(&one, Token(7)).expect("added");
        two.send(b"x").expect("sent");
        let soon = clock::now() + Duration::from_millis(1);
        assert_eq!(reactor.wait(Some(soon)).expect("waits"), [Ready::Source(Token(7))]);
        one.recv(&mut [0; 8]).expect("received");
        let later = clock::now() + Duration::from_millis(30);
        assert_eq!(reactor.wait(Some(later)).expect("waits"), [Ready::Deadline]);
        assert!(clock::now() >= later);
    }

    #[test]
    fn sources_are_told_until_read_and_not_after_they_left() {
        let mut reactor = Reactor::start().expect("starts");
        let (one, two) = UnixDatagram::pair().expect("a pair");
        reactor.add(&one, Token(7)).expect("added");
        two.send(b"x").expect("sent");
        for _ in 0..2 {
            assert_eq!(reactor.wait(None).expect("waits"), [Ready::Source(Token(7))]);
        }
        reactor.remove(&one).expect("removed");
        assert!(reactor.remove(&one).is_err());
        let soon = clock::now() + Duration::from_millis(1);
        assert_eq!(reactor.wait(Some(soon)).expect("waits"), [Ready::Deadline]);
    }

    #[test]
    fn another_thread_ends_the_wait_once() {
        let mut reactor = Reactor::start().expect("starts");
        let waker = reactor.waker();
        let other = std::thread::spawn(move || (0..3).for_each(|_| waker.wake()));
        other.join().expect("no panic");
        assert_eq!(reactor.wait(None).expect("waits"), [Ready::Woken]);
        let soon = clock::now() + Duration::from_millis(1);
        assert_eq!(reactor.wait(Some(soon)).expect("waits"), [Ready::Deadline]);
    }
}
