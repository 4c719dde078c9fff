//! Finds and reads the files that a configuration is made of.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mainstay_config::{FILE_SIZE_MAX, Found, Sources, Unreadable};
use mainstay_linux::domains;

/// The files of this machine.
#[derive(Debug, Default)]
pub(crate) struct Files;

impl Sources for Files {
    fn domain_table(&mut self, name: &str) -> Option<u32> {
        domains::table_of(name).ok().flatten()
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
        let refused = |error: std::io::Error| Unreadable::Refused(error.to_string());
        let metadata = match fs::metadata(path) {
            Err(error) => return Found { content: Err(refused(error)), executable: false },
            Ok(metadata) if !metadata.is_file() => {
                return Found { content: Err(Unreadable::NotRegular), executable: false };
            }
            Ok(metadata) => metadata,
        };
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let is_too_big = metadata.len() > FILE_SIZE_MAX as u64;
        let content = if is_too_big { Err(Unreadable::TooBig) } else { content(path) };
        Found { content, executable }
    }
}

/// More than a configuration may consist of.
const NAMES_MAX: usize = 20_000;

/// Whether there is anything of that name, readable or not.
fn is_there(path: &Path) -> bool {
    !fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Reads one byte more than is allowed at most: a file may grow while it is read.
fn content(path: &str) -> Result<Vec<u8>, Unreadable> {
    let mut content = Vec::new();
    let limit = FILE_SIZE_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content));
    match read {
        Err(error) => Err(Unreadable::Refused(error.to_string())),
        Ok(_) if content.len() > FILE_SIZE_MAX => Err(Unreadable::TooBig),
        Ok(_) => Ok(content),
    }
}
