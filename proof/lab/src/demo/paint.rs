//! Colours of the terminal and the picture; without colours every text stays readable.

/// The hosts' colours, as the picture and a terminal of 24 bits know them.
const HOSTS: [(u8, u8, u8); 3] = [(37, 99, 235), (13, 148, 136), (217, 119, 6)];

/// The colour of silence.
pub(super) const SILENCE: (u8, u8, u8) = (220, 38, 38);

/// Red, green, blue of a host.
pub(super) fn host_colour(host: usize) -> (u8, u8, u8) {
    HOSTS[host % HOSTS.len()]
}

/// Writes escape sequences, or leaves them out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// White on a colour.
    pub(super) fn on(self, (red, green, blue): (u8, u8, u8), text: &str) -> String {
        self.wrap(&format!("48;2;{red};{green};{blue};97"), text)
    }

    /// On the colour of silence.
    pub(super) fn alarm(self, text: &str) -> String {
        self.on(SILENCE, text)
    }
}
