//! Finds and reads the files that a configuration is made of.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use mainstay_config::{FILE_SIZE_MAX, Found, Sources, Unreadable};
use mainstay_linux::domains;
use mainstay_linux::netns::Namespace;

/// The files of this machine, and its routing domains.
#[derive(Debug)]
pub(crate) struct Files<'n> {
    looks_left: u32,
    within: Within<'n>,
}

/// The network namespace in which routing domains are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Within<'n> {
    /// That of the caller, whatever the configuration names: a daemon is in its namespace already, and stays there.
    Own,
    /// The one that a daemon which is started now would enter: of the command line, else of the configuration.
    Entered(Option<&'n str>),
}

impl<'n> Files<'n> {
    pub(crate) fn new(within: Within<'n>) -> Files<'n> {
        Files { looks_left: LOOKS_MAX, within }
    }
}

impl Sources for Files<'_> {
    fn domain_table(&mut self, name: &str, namespace: Option<&str>) -> Result<u32, String> {
        let namespace = match self.within {
            Within::Own => None,
            Within::Entered(asked) => asked.or(namespace),
        };
        let (table, place) = match namespace {
            None => (domains::table_of(name), String::new()),
            Some(inside) => {
                let table = run_in(inside, name, || domains::table_of(name))?;
                (table, format!(" in network namespace `{inside}`"))
            }
        };
        let table =
            table.map_err(|error| format!("cannot look up vrf `{name}`{place}: {error}"))?;
        table.ok_or_else(|| format!("there is no vrf `{name}`{place}: make it before"))
    }

    fn find(&mut self, pattern: &str) -> Vec<String> {
        if !pattern.contains(['*', '?', '[']) {
            let is_there = is_there(Path::new(pattern));
            return is_there.then(|| pattern.to_owned()).into_iter().collect();
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // The pattern comes back in alphabetical order.
        let Ok(paths) = glob::glob_with(pattern, options) else { return Vec::new() };
        let paths = paths.filter_map(Result::ok).filter(|path| is_there(path));
        paths.map(|path| path.to_string_lossy().into_owned()).take(NAMES_MAX).collect()
    }

    fn read(&mut self, path: &str) -> Found {
        let mut executable = false;
        loop {
            let content = match fs::metadata(path) {
                Err(error) => Err(refused(&error)),
                Ok(metadata) if !metadata.is_file() => Err(Unreadable::NotRegular),
                Ok(metadata) => {
                    executable = metadata.permissions().mode() & 0o111 != 0;
                    content(path, &metadata)
                }
            };
            if content != Err(Unreadable::Changing) || self.looks_left == 0 {
                return Found { content, executable };
            }
            self.looks_left -= 1;
            // Woken early, it looks early, which costs one look.
            std::thread::park_timeout(CALM_AFTER);
        }
    }
}

/// More than a configuration may consist of.
const NAMES_MAX: usize = 20_000;

/// A file that was written less long ago may be half of itself; and times of change are as fine as the kernel's
/// tick, up to 10 ms, so that of two writes within one only the first would be seen.
const CALM_AFTER: Duration = Duration::from_millis(20);

/// So often a configuration is looked at again at most, all of its files together: a daemon that reloads has
/// other things to do.
const LOOKS_MAX: u32 = 5;

/// Runs `work`, which looks for `sought`, in a network namespace. Nothing is entered by who is there already: that
/// takes no permission.
fn run_in<T: Send>(
    namespace: &str,
    sought: &str,
    work: impl FnOnce() -> T + Send,
) -> Result<T, String> {
    let there = Namespace::named(namespace).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return format!(
                "there is no network namespace `{namespace}` to look up vrf `{sought}` in: make it with \
                 `ip netns add {namespace}` before"
            );
        }
        format!("cannot open network namespace `{namespace}` to look up vrf `{sought}`: {error}")
    })?;
    if Namespace::current().is_ok_and(|now| now.is_same_as(&there).unwrap_or(false)) {
        return Ok(work());
    }
    there.run(work).map_err(|error| {
        if error.kind() == io::ErrorKind::PermissionDenied {
            return format!(
                "network namespace `{namespace}` may not be entered to look up vrf `{sought}`: be root"
            );
        }
        format!("cannot enter network namespace `{namespace}` to look up vrf `{sought}`: {error}")
    })
}

/// Whether there is anything of that name, readable or not.
fn is_there(path: &Path) -> bool {
    !fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn refused(error: &io::Error) -> Unreadable {
    Unreadable::Refused(error.to_string())
}

/// What is in a file, if nobody changed it or put another one in its place meanwhile.
fn content(path: &str, before: &Metadata) -> Result<Vec<u8>, Unreadable> {
    if before.len() > FILE_SIZE_MAX as u64 {
        return Err(Unreadable::TooBig);
    }
    let mut content = Vec::new();
    // One byte more than is allowed at most: a file may grow while it is read.
    let limit = FILE_SIZE_MAX as u64 + 1;
    let mut file = File::open(path).map_err(|error| refused(&error))?;
    let read = file.by_ref().take(limit).read_to_end(&mut content);
    read.map_err(|error| refused(&error))?;
    let after = file.metadata().map_err(|error| refused(&error))?;
    let now = fs::metadata(path).map_err(|_| Unreadable::Changing)?;
    let is_same = [after, now].iter().all(|later| identity(later) == identity(before));
    match () {
        () if content.len() > FILE_SIZE_MAX => Err(Unreadable::TooBig),
        () if is_same && is_calm(before) => Ok(content),
        () => Err(Unreadable::Changing),
    }
}

/// What differs when a file was written, or another one was put in its place.
fn identity(file: &Metadata) -> ([u64; 3], [i64; 4]) {
    let which = [file.dev(), file.ino(), file.size()];
    (which, [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()])
}

/// Whether its last change is long enough ago. One in the future tells of a clock that was set, not of a writer.
fn is_calm(file: &Metadata) -> bool {
    let nanos = u64::try_from(file.ctime_nsec()).unwrap_or(0);
    let at = Duration::from_secs(file.ctime().unsigned_abs()) + Duration::from_nanos(nanos);
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + at);
    age.map_or(true, |age| age >= CALM_AFTER)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Instant;

    use super::*;

    /// A folder that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder =
                std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("the directory is writable");
            Folder(folder)
        }

        fn file(&self, name: &str, text: &str) -> String {
            let path = self.0.join(name);
            fs::write(&path, text).expect("the directory is writable");
            path.to_str().expect("a name in ASCII").to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // It lies in a directory that is emptied at times.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_written_a_moment_ago_is_read_a_moment_later() {
        let folder = Folder::new("calm");
        loop {
            let begun = Instant::now();
            let path = folder.file("k.conf", "half");
            let at_once = Files { looks_left: 0, within: Within::Own }.read(&path).content;
            // On a busy machine the moment may have passed in between.
            if begun.elapsed() < CALM_AFTER / 2 {
                assert_eq!(at_once, Err(Unreadable::Changing));
                break;
            }
        }
        let path = folder.file("k.conf", "whole");
        assert_eq!(Files::new(Within::Own).read(&path).content.as_deref(), Ok(&b"whole"[..]));
    }

    #[test]
    fn another_file_in_its_place_is_noticed() {
        let folder = Folder::new("replaced");
        let (path, other) = (folder.file("k.conf", "one"), folder.file("other", "two"));
        let mut files = Files::new(Within::Own);
        assert_eq!(files.read(&path).content.as_deref(), Ok(&b"one"[..]));
        let before = fs::metadata(&path).expect("it is there");
        assert_eq!(content(&path, &before).as_deref(), Ok(&b"one"[..]));
        fs::rename(other, &path).expect("the directory is writable");
        assert_eq!(content(&path, &before), Err(Unreadable::Changing));
        assert_eq!(files.read(&path).content.as_deref(), Ok(&b"two"[..]));
        fs::remove_file(&path).expect("it is ours");
        assert!(matches!(content(&path, &before), Err(Unreadable::Refused(_))));
    }
}
