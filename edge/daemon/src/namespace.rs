//! The network namespace that the daemon lives in.

use std::io::ErrorKind;

use mainstay_linux::netns::Namespace;

use crate::Error;

/// Moves this process, which has one thread still, into the network namespace of that name; processes that it
/// starts are born there.
///
/// # Errors
/// There is no such namespace, or it may not be entered.
pub fn enter_namespace(name: &str) -> Result<(), Error> {
    let wanted = open(name)?;
    // A service manager may have done it, and then no permission is needed.
    if Namespace::current().is_ok_and(|now| now.is_same_as(&wanted).unwrap_or(false)) {
        return Ok(());
    }
    wanted.enter().map_err(|error| {
        if error.kind() == ErrorKind::PermissionDenied {
            return Error::NotPermitted { missing: vec!["CAP_SYS_ADMIN"] };
        }
        Error::refused("enter", format!("network namespace `{name}`"))(error)
    })
}

/// The network namespace of that name.
pub(crate) fn open(name: &str) -> Result<Namespace, Error> {
    Namespace::named(name).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return Error::NoNamespace { name: name.to_owned() };
        }
        Error::refused("open", format!("network namespace `{name}`"))(error)
    })
}
