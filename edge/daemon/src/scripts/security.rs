//! Whether somebody other than root could have written a program that would run as root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The first part of the path that somebody other than root can change; none if the program is
/// safe to run as root. Symbolic links are followed, as the kernel will.
pub(crate) fn writable_by_others(program: &Path) -> Option<PathBuf> {
    let parts = |path: &Path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>();
    let mut all = parts(program);
    if let Ok(resolved) = program.canonicalize() {
        all.extend(parts(&resolved));
    }
    all.retain(|part| !part.as_os_str().is_empty());
    all.into_iter().rev().find(|part| is_writable_by_others(part))
}

fn is_writable_by_others(part: &Path) -> bool {
    // A part that is not there cannot be run either.
    let Ok(metadata) = fs::metadata(part) else { return false };
    let (mode, group, owner) = (metadata.mode(), metadata.gid(), metadata.uid());
    // In a sticky directory, nobody can replace what root owns.
    let sticky = metadata.is_dir() && mode & 0o1000 != 0;
    let by_group = mode & 0o020 != 0 && group != 0;
    let by_all = mode & 0o002 != 0;
    owner != 0 || (!sticky && (by_group || by_all))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_program_that_others_can_write_is_found_out() {
        assert_eq!(writable_by_others(Path::new("/bin/true")), None);
        let path = std::env::temp_dir().join(format!("mainstay-security-{}", std::process::id()));
        fs::write(&path, "#!/bin/sh\n").expect("the directory is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("the file is ours");
        let found = writable_by_others(&path);
        fs::remove_file(&path).expect("the file is ours");
        assert_eq!(found, Some(path));
    }
}
