//! Whether a link has a carrier, asked of its transceiver, its driver or its flags.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mainstay_base::{CarrierSource, LinkName};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// The register of a transceiver's status, and the bit that says that there is a link; IEEE 802.3 §22.2.4.2.
const STATUS: u16 = 1;
const LINK: u16 = 1 << 2;
/// `linux/ethtool.h`: whether there is a link.
const ETHTOOL_GLINK: u32 = 0xa;

/// Asks links of the network namespace that it was opened in.
#[derive(Debug)]
pub struct Carriers {
    socket: OwnedFd,
}

/// `struct ifreq`: a name, and what a request asks or answers, at least as large as the kernel's.
#[repr(C)]
struct Request<Body> {
    name: [u8; libc::IFNAMSIZ],
    body: Body,
    rest: [u8; 32],
}

/// `struct mii_ioctl_data`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Register {
    transceiver: u16,
    number: u16,
    written: u16,
    value: u16,
}

/// `struct ethtool_value`.
#[repr(C)]
struct Question {
    command: u32,
    value: u32,
}

impl Carriers {
    /// Opens a socket to ask by.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn open() -> io::Result<Carriers> {
        let socket =
            socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Carriers { socket })
    }

    /// Whether a link is running and has a carrier; asked as is wanted, else as its driver knows.
    ///
    /// The kernel may wait for the driver, and the driver for its hardware.
    ///
    /// # Errors
    ///
    /// Where the link is not there.
    pub fn has_carrier(&self, link: &LinkName, wanted: CarrierSource) -> io::Result<bool> {
        if !self.is_running(link)? {
            return Ok(false);
        }
        let others = CarrierSource::ALL.into_iter().filter(|other| *other != wanted);
        for source in std::iter::once(wanted).chain(others) {
            if let Ok(present) = self.ask(link, source) {
                return Ok(present);
            }
        }
        self.is_running(link)
    }

    /// Asks in one way.
    ///
    /// # Errors
    ///
    /// Where the link's driver does not know it.
    pub fn ask(&self, link: &LinkName, source: CarrierSource) -> io::Result<bool> {
        match source {
            CarrierSource::Mii => self.register(link),
            CarrierSource::Ethtool => self.driver(link),
            CarrierSource::Flags => self.is_running(link),
        }
    }

    fn is_running(&self, link: &LinkName) -> io::Result<bool> {
        let mut request = named(link, 0_i16);
        // SAFETY: The kernel reads the name and writes an `i16` behind it, where there is room.
        unsafe { self.request(libc::SIOCGIFFLAGS, &mut request) }?;
        let wanted = libc::IFF_UP | libc::IFF_RUNNING;
        Ok(i32::from(request.body) & wanted == wanted)
    }

    fn register(&self, link: &LinkName) -> io::Result<bool> {
        let mut request = named(link, Register::default());
        // SAFETY: The kernel reads the name and writes the transceiver's number behind it, where there is room.
        unsafe { self.request(libc::SIOCGMIIPHY, &mut request) }?;
        // The bit keeps a loss until it is read: the second reading is of now.
        for _ in 0..2 {
            request.body.number = STATUS;
            // SAFETY: The kernel reads name, transceiver and register, and writes a value, where there is room.
            unsafe { self.request(libc::SIOCGMIIREG, &mut request) }?;
        }
        Ok(request.body.value & LINK != 0)
    }

    fn driver(&self, link: &LinkName) -> io::Result<bool> {
        let mut question = Question { command: ETHTOOL_GLINK, value: 0 };
        let mut request = named(link, &raw mut question);
        // SAFETY: Behind the name there is a pointer to a command and room for its answer, which live through the call.
        unsafe { self.request(libc::SIOCETHTOOL, &mut request) }?;
        Ok(question.value != 0)
    }

    /// # Safety
    ///
    /// The request has the form that its number asks for, with all that it points to.
    unsafe fn request<Body>(
        &self,
        number: libc::c_ulong,
        request: &mut Request<Body>,
    ) -> io::Result<()> {
        // SAFETY: The pointer is to a whole request, which is larger than the kernel's; the caller answers for its form.
        let result = unsafe {
            libc::ioctl(self.socket.as_raw_fd(), number as libc::Ioctl, std::ptr::from_mut(request))
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

fn named<Body>(link: &LinkName, body: Body) -> Request<Body> {
    let mut name = [0; libc::IFNAMSIZ];
    let text = link.as_str().as_bytes();
    name[..text.len()].copy_from_slice(text);
    Request { name, body, rest: [0; 32] }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::testing::{ip, pair};

    #[test]
    fn a_link_whose_far_end_goes_down_has_no_carrier() {
        let pair = pair();
        let link: LinkName = "left".parse().expect("a link name");
        let read = |source| {
            let has = || Carriers::open().expect("opens").has_carrier(&link, source);
            pair.left.run(has).expect("enterable").expect("there")
        };
        let by_driver = || {
            let asked = || Carriers::open().expect("opens").ask(&link, CarrierSource::Ethtool);
            pair.left.run(asked).expect("enterable").expect("its driver knows")
        };
        assert!(CarrierSource::ALL.into_iter().all(read), "every way finds one that answers");
        assert!(by_driver());
        ip(&pair.right, "link set right down");
        assert!(!by_driver(), "the driver knows at once");
        // The flags follow when the kernel has come to it.
        let limit = Instant::now() + Duration::from_secs(20);
        while CarrierSource::ALL.into_iter().any(read) {
            assert!(Instant::now() < limit, "it has a carrier still");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_link_that_is_not_there_or_knows_no_registers_is_an_error() {
        let pair = pair();
        let ask = |name: &str, source| {
            let link = name.parse().expect("a link name");
            let asked = || Carriers::open().expect("opens").ask(&link, source);
            pair.left.run(asked).expect("enterable").map_err(|error| error.raw_os_error())
        };
        assert_eq!(ask("none", CarrierSource::Flags), Err(Some(libc::ENODEV)));
        assert_eq!(ask("left", CarrierSource::Mii), Err(Some(libc::EOPNOTSUPP)));
    }
}
