//! One program in the place of another, in the same process.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::signals::TAKEN;

/// Where the program of this process lies, or lay before another one was put in its place.
///
/// # Errors
/// `/proc` is not there.
pub fn own_path() -> io::Result<PathBuf> {
    const REPLACED: &[u8] = b" (deleted)";
    let path = std::fs::read_link("/proc/self/exe")?;
    let bytes = path.as_os_str().as_bytes();
    let path = bytes.strip_suffix(REPLACED).unwrap_or(bytes);
    Ok(PathBuf::from(OsString::from_vec(path.to_vec())))
}

/// Runs a program in place of the calling one, with these variables besides its own: the same process number, no descriptors but those without
/// close-on-exec. Signals that arrive meanwhile wait until it calls [`allow_signals`]. Returns only if that
/// fails, with the reason.
pub fn become_program(
    path: &Path,
    arguments: impl Iterator<Item = OsString>,
    further: &[(&str, OsString)],
) -> io::Error {
    let text = |text: &[u8]| CString::new(text).map_err(io::Error::from);
    let own =
        std::env::vars_os().filter(|(name, _)| further.iter().all(|(other, _)| name != other));
    let named =
        |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
    let further = further.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    let variables: io::Result<Vec<CString>> =
        own.chain(further).map(named).map(|variable| text(&variable)).collect();
    let arguments: io::Result<Vec<CString>> =
        arguments.map(|argument| text(argument.as_bytes())).collect();
    let (path, arguments, variables) =
        match (text(path.as_os_str().as_bytes()), arguments, variables) {
            (Ok(path), Ok(arguments), Ok(variables)) => (path, arguments, variables),
            (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => return error,
        };
    let (arguments, variables) = (pointers(&arguments), pointers(&variables));
    hold_signals();
    // SAFETY: The path, each argument and each variable end with zero, the lists with a null pointer, and all of
    // them live through the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
    let error = io::Error::last_os_error();
    allow_signals();
    error
}

/// A list for the kernel; valid as long as the texts are.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

/// Lets signals to the calling thread, and to those that it starts, wait until [`allow_signals`].
pub fn hold_signals() {
    mask(libc::SIG_BLOCK);
}

/// Takes signals again that were held, by this program or by one which it took the place of.
pub fn allow_signals() {
    mask(libc::SIG_UNBLOCK);
}

/// Does something while the calling thread takes no signals. Threads that are started meanwhile never take any, so
/// that all are left to the others.
pub fn without_signals<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: Both sets are initialized before they are used: the first by sigfillset, the other by the call itself.
    let before = unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let done = act();
    // SAFETY: The set is the one that was given above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    done
}

fn mask(how: libc::c_int) {
    // SAFETY: The set is initialized before it is used, and the numbers are those of signals.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in TAKEN {
            libc::sigaddset(&raw mut set, signal.as_raw());
        }
        libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_path_is_that_of_the_test() {
        let path = own_path().expect("proc is there");
        assert_eq!(path, std::env::current_exe().expect("proc is there"));
    }

    /// The signals that the calling thread holds back, as the kernel shows them.
    fn held_back() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("proc is there");
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(line.expect("it is shown").trim(), 16).expect("a mask")
    }

    #[test]
    fn a_thread_that_is_to_take_no_signals_takes_none() {
        let before = held_back();
        let thread = without_signals(|| std::thread::spawn(held_back));
        let terminate = 1 << (libc::SIGTERM - 1);
        assert_ne!(thread.join().expect("no panic") & terminate, 0);
        assert_eq!(held_back(), before);
    }

    #[test]
    fn what_cannot_be_run_is_said_so() {
        let nothing = Path::new("/nowhere/mainstay");
        let error = become_program(nothing, std::iter::once("mainstay".into()), &[]);
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = become_program(Path::new("a\0b"), std::iter::empty(), &[]);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
