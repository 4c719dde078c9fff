//! Composes the payload of a request: a header, then attributes, which may hold others.

/// The nesting flag of an attribute's type.
const NESTED: u16 = 0x8000;

/// A payload as it grows.
pub(crate) struct Composer {
    bytes: Vec<u8>,
}

impl Composer {
    /// Begins with a header as it stands in memory.
    pub(crate) fn after(header: &[u8]) -> Composer {
        Composer { bytes: header.to_vec() }
    }

    /// Appends an attribute; its value is short by its nature.
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) -> &mut Composer {
        let start = self.begin(kind);
        self.bytes.extend(value);
        self.end(start);
        self
    }

    /// Appends text with its closing zero.
    pub(crate) fn put_text(&mut self, kind: u16, value: &str) -> &mut Composer {
        self.put(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Appends a number of 32 bits in the order of the network.
    pub(crate) fn put_be(&mut self, kind: u16, value: u32) -> &mut Composer {
        self.put(kind, &value.to_be_bytes())
    }

    /// Appends a number of 32 bits in the machine's order.
    pub(crate) fn put_ne(&mut self, kind: u16, value: u32) -> &mut Composer {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Appends an attribute that holds others; at most 64 KiB fit in.
    pub(crate) fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Composer)) -> &mut Composer {
        let start = self.begin(kind | NESTED);
        inside(self);
        self.end(start);
        self
    }

    /// The payload.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn begin(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        start
    }

    fn end(&mut self, start: usize) {
        let length = self.bytes.len() - start;
        let length = u16::try_from(length).expect("whoever composes keeps attributes short");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
