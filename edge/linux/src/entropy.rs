//! Chance, from the kernel.

use std::io;

use mainstay_base::Seed;
use rustix::rand::{GetRandomFlags, getrandom};

/// A seed that nobody can guess.
///
/// # Errors
/// The kernel gives none.
pub fn seed() -> io::Result<Seed> {
    let mut bytes = [0; 8];
    let len = getrandom(&mut bytes, GetRandomFlags::empty())?;
    if len < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Seed(u64::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_seeds_differ() {
        let seed = || super::seed().expect("the kernel gives one");
        assert_ne!(seed(), seed());
    }
}
