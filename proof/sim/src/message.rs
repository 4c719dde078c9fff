//! Advertisements written a second time, plainly, so that proofs do not trust the code.

use std::net::IpAddr;

/// An advertisement as a proof wishes it, right or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 2 or 3 for a good one.
    pub version: u8,
    /// 1 for a good one.
    pub kind: u8,
    /// The router number.
    pub vrid: u8,
    /// The priority.
    pub priority: u8,
    /// Version 2: seconds (8 bits) above the authentication type; version 3: 16 bits.
    pub interval: u16,
    /// Version 2: 0 none, 1 password.
    pub authentication: u8,
    /// Version 2: the eight bytes that follow the addresses.
    pub password: [u8; 8],
    /// The virtual addresses.
    pub addresses: Vec<IpAddr>,
}

/// What a checksum covers besides the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Nothing (version 2; RFC 9568 §5.2.8 for IPv4).
    Message,
    /// A pseudo-header of these addresses.
    Pseudo(IpAddr, IpAddr),
    /// It is wrong on purpose.
    Wrong,
}

impl Message {
    /// The bytes, with the checksum in place.
    pub fn bytes(&self, sum: Sum) -> Vec<u8> {
        let count = u8::try_from(self.addresses.len()).expect("a proof names few addresses");
        let [high, low] = self.interval.to_be_bytes();
        let (fifth, sixth) =
            if self.version == 2 { (self.authentication, low) } else { (high, low) };
        let first = self.version << 4 | self.kind;
        let mut bytes = vec![first, self.vrid, self.priority, count, fifth, sixth, 0, 0];
        for address in &self.addresses {
            octets(*address, &mut bytes);
        }
        if self.version == 2 {
            bytes.extend(self.password);
        }
        let checksum = match sum {
            Sum::Message => checksum(&bytes),
            Sum::Pseudo(from, to) => {
                checksum(&[pseudo_header(from, to, bytes.len()), bytes.clone()].concat())
            }
            Sum::Wrong => checksum(&bytes) ^ 0x5a5a,
        };
        bytes[6..8].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }
}

impl Message {
    /// Takes a good message apart, and says what its checksum covers.
    pub fn read(bytes: &[u8], from: IpAddr, to: IpAddr) -> Option<(Message, Sum)> {
        let [first, vrid, priority, count, fifth, sixth, ..] = *bytes else { return None };
        let each = if from.is_ipv4() { 4 } else { 16 };
        let version = first >> 4;
        let end = 8 + each * usize::from(count);
        let addresses = bytes.get(8..end)?.chunks(each).map(address).collect::<Option<_>>()?;
        let (interval, authentication) = match version {
            2 => (u16::from(sixth), fifth),
            _ => (u16::from_be_bytes([fifth, sixth]), 0),
        };
        let password =
            if version == 2 { bytes.get(end..end + 8)?.try_into().ok()? } else { [0; 8] };
        let kind = first & 0x0f;
        let message = Message {
            version,
            kind,
            vrid,
            priority,
            interval,
            authentication,
            password,
            addresses,
        };
        let group = IpAddr::from([224, 0, 0, 18]);
        let mut sums = vec![Sum::Pseudo(from, to), Sum::Message];
        sums.extend(from.is_ipv4().then_some(Sum::Pseudo(from, group)));
        sums.retain(|sum| (version == 3 || *sum == Sum::Message) && message.bytes(*sum) == bytes);
        let sum = sums.first().copied();
        Some((message, sum.unwrap_or(Sum::Wrong)))
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
    }
}

/// The ones'-complement sum of RFC 1071 over 16-bit words.
pub fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}

/// The pseudo-header of RFC 5798 §5.2.8, which borrows that of RFC 8200 §8.1.
pub fn pseudo_header(from: IpAddr, to: IpAddr, length: usize) -> Vec<u8> {
    let mut header = Vec::new();
    octets(from, &mut header);
    octets(to, &mut header);
    let length = u16::try_from(length).expect("a proof's message is short").to_be_bytes();
    match to {
        IpAddr::V4(_) => header.extend([0, 112, length[0], length[1]]),
        IpAddr::V6(_) => header.extend([0, 0, length[0], length[1], 0, 0, 0, 112]),
    }
    header
}

fn octets(address: IpAddr, bytes: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => bytes.extend(v4.octets()),
        IpAddr::V6(v6) => bytes.extend(v6.octets()),
    }
}
