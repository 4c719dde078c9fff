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

    fn find(&mut self, pattern: &str) -> Vec<Found> {
        if !pattern.contains(['*', '?', '[']) {
            return found(Path::new(pattern)).into_iter().collect();
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // The pattern comes back in alphabetical order.
        let Ok(paths) = glob::glob_with(pattern, options) else { return Vec::new() };
        paths.filter_map(Result::ok).filter_map(|path| found(&path)).collect()
    }
}

/// None if there is nothing of that name.
fn found(path: &Path) -> Option<Found> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        metadata => metadata,
    };
    let name = path.to_string_lossy().into_owned();
    let executable =
        metadata.as_ref().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let content = match metadata {
        Err(error) => Err(Unreadable::Refused(error.to_string())),
        Ok(metadata) if !metadata.is_file() => Err(Unreadable::NotRegular),
        Ok(_) => read(path),
    };
    Some(Found { path: name, content, executable })
}

/// Reads one byte more than is allowed at most: a file may grow while it is read.
fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let mut content = Vec::new();
    let limit = FILE_SIZE_MAX as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content));
    match read {
        Err(error) => Err(Unreadable::Refused(error.to_string())),
        Ok(_) if content.len() > FILE_SIZE_MAX => Err(Unreadable::TooBig),
        Ok(_) => Ok(content),
    }
}
