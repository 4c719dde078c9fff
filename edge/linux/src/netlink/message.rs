//! The messages of a datagram from the kernel, and its answers to requests.

use mainstay_plan::Refusal;

use super::attributes::{Attributes, array, text};

const HEADER_BYTES: usize = 16;

/// One message.
pub(crate) struct Message<'a> {
    /// `RTM_…` or `NLMSG_…`.
    pub(crate) kind: u16,
    /// `NLM_F_…`.
    pub(crate) flags: u16,
    /// Of the request that it answers, or that caused it.
    pub(crate) sequence: u32,
    /// The socket whose request caused it.
    pub(crate) port: u32,
    /// What it says.
    pub(crate) body: Body<'a>,
}

/// What a message says.
pub(crate) enum Body<'a> {
    /// Yes or no to a request.
    Answer(Result<(), Refusal>),
    /// A dump is at its end.
    Done,
    /// Anything else, after the header.
    Other(&'a [u8]),
}

/// Walks the messages of a datagram; ends at the first one that does not fit.
pub(crate) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(crate) fn of(datagram: &'a [u8]) -> Messages<'a> {
        Messages { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = usize::try_from(u32::from_ne_bytes(array(self.rest, 0)?)).ok()?;
        let whole = self.rest.get(..length)?;
        let payload = whole.get(HEADER_BYTES..)?;
        let kind = u16::from_ne_bytes(array(whole, 4)?);
        let flags = u16::from_ne_bytes(array(whole, 6)?);
        let sequence = u32::from_ne_bytes(array(whole, 8)?);
        let port = u32::from_ne_bytes(array(whole, 12)?);
        let body = body(kind, flags, payload)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, flags, sequence, port, body })
    }
}

fn body(kind: u16, flags: u16, payload: &[u8]) -> Option<Body<'_>> {
    match i32::from(kind) {
        libc::NLMSG_ERROR => {
            let code = i32::from_ne_bytes(array(payload, 0)?);
            Some(Body::Answer(answer(code, extended(flags, payload))))
        }
        // A dump that failed says so in the number that follows its end.
        libc::NLMSG_DONE => match array(payload, 0).map(i32::from_ne_bytes) {
            Some(code) if code < 0 => Some(Body::Answer(answer(code, payload.get(4..)))),
            Some(_) | None => Some(Body::Done),
        },
        _ => Some(Body::Other(payload)),
    }
}

/// The attributes behind the echoed request, whose payload is left out when the flag says so.
fn extended(flags: u16, payload: &[u8]) -> Option<&[u8]> {
    const CAPPED: u16 = 0x100;
    const HAS_ATTRIBUTES: u16 = 0x200;
    if flags & HAS_ATTRIBUTES == 0 {
        return None;
    }
    let request = if flags & CAPPED != 0 {
        HEADER_BYTES
    } else {
        usize::try_from(u32::from_ne_bytes(array(payload, 4)?)).ok()?
    };
    payload.get(4usize.checked_add(request)?.checked_next_multiple_of(4)?..)
}

fn answer(code: i32, attributes: Option<&[u8]>) -> Result<(), Refusal> {
    const MESSAGE: u16 = 1;
    if code == 0 {
        return Ok(());
    }
    let errno = code.saturating_neg();
    let said = Attributes::of(attributes.unwrap_or_default())
        .find(|(kind, _)| *kind == MESSAGE)
        .and_then(|(_, value)| text(value));
    let message = said.map_or_else(|| crate::errno::text(errno), str::to_owned);
    Err(Refusal { errno, message })
}
