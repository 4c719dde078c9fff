//! Control messages beside a packet: `struct cmsghdr`, built and read as bytes.
//!
//! ```text
//! | length: size_t, of header and value | level: int | kind: int | value … | padding |
//! ```
//! The next header begins at a multiple of a `size_t`.

use std::ffi::c_int;

const WORD: usize = size_of::<usize>();
const HEADER: usize = (WORD + 2 * size_of::<c_int>()).next_multiple_of(WORD);

/// Room for everything that is sent or received here.
pub(crate) const ROOM: usize = 160;

/// Control messages, aligned as the kernel's macros expect.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control {
    pub(crate) bytes: [u8; ROOM],
    pub(crate) length: usize,
}

impl Control {
    pub(crate) const fn empty() -> Control {
        Control { bytes: [0; ROOM], length: 0 }
    }

    /// Appends a message; there is room for two packet informations and two numbers.
    pub(crate) fn push(&mut self, level: c_int, kind: c_int, value: &[u8]) {
        let end = self.length + HEADER + value.len();
        let message = self.bytes.get_mut(self.length..end).expect("there is room by design");
        message[..WORD].copy_from_slice(&(HEADER + value.len()).to_ne_bytes());
        message[WORD..WORD + 4].copy_from_slice(&level.to_ne_bytes());
        message[WORD + 4..WORD + 8].copy_from_slice(&kind.to_ne_bytes());
        message[HEADER..].copy_from_slice(value);
        self.length = end.next_multiple_of(WORD).min(ROOM);
    }

    /// The messages: level, kind, value; ends at the first one that does not fit.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (c_int, c_int, &[u8])> {
        let mut rest = self.bytes.get(..self.length).unwrap_or_default();
        std::iter::from_fn(move || {
            let length = usize::from_ne_bytes(crate::netlink::array(rest, 0)?);
            let level = c_int::from_ne_bytes(crate::netlink::array(rest, WORD)?);
            let kind = c_int::from_ne_bytes(crate::netlink::array(rest, WORD + 4)?);
            let value = rest.get(HEADER..length)?;
            rest = rest.get(length.checked_next_multiple_of(WORD)?..).unwrap_or_default();
            Some((level, kind, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read() {
        let mut control = Control::empty();
        control.push(libc::IPPROTO_IP, libc::IP_TTL, &255i32.to_ne_bytes());
        control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &[7; 20]);
        let read: Vec<_> = control.messages().collect();
        assert_eq!(
            read,
            [
                (libc::IPPROTO_IP, libc::IP_TTL, &255i32.to_ne_bytes()[..]),
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &[7; 20][..]),
            ]
        );
    }

    #[test]
    fn the_kernels_macros_agree() {
        for length in 0..40u32 {
            let mut control = Control::empty();
            control.push(1, 2, &vec![0; usize::try_from(length).expect("small")]);
            // SAFETY: The macro only computes.
            let space = unsafe { libc::CMSG_SPACE(length) };
            assert_eq!(control.length, usize::try_from(space).expect("small"));
        }
    }

    #[test]
    fn broken_lengths_end_the_walk() {
        let mut control = Control::empty();
        control.push(1, 2, &[0; 4]);
        for length in [0, 1, HEADER - 1, HEADER + 5 + WORD, ROOM + 1, usize::MAX] {
            control.bytes[..WORD].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(control.messages().count(), 0, "{length}");
        }
        control.length = ROOM + 1;
        assert_eq!(control.messages().count(), 0);
    }
}
