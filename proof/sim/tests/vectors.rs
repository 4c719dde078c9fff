//! Every vector of `proof/vectors/vrrp`: read, sent back byte for byte, cut, and damaged.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use mainstay_base::{Instant, Machine, Seed};
use mainstay_engine::vrrp::{self, Received};
use mainstay_engine::{Command, Engine, Input, Reject, Transmit};
use mainstay_plan::Change;
use mainstay_sim::{Given, Message, Sum, hex};

const GROUPS: [&str; 2] = ["224.0.0.18", "ff02::12"];

struct Vector {
    name: String,
    fields: BTreeMap<String, String>,
    message: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/vrrp");
    let entries = std::fs::read_dir(&folder).expect("the folder of vectors can be read");
    let mut vectors: Vec<Vector> = entries
        .map(|entry| entry.expect("an entry of the folder").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a vector can be read");
            let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
            let fields: BTreeMap<String, String> = lines
                .map(|line| line.split_once(' ').unwrap_or((line, "")))
                .map(|(field, value)| (field.to_owned(), value.trim().to_owned()))
                .collect();
            let message = hex(&fields["message"]).expect("a message in hexadecimal");
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Vector { name, fields, message }
        })
        .collect();
    vectors.sort_by(|a, b| a.name.cmp(&b.name));
    vectors
}

impl Vector {
    fn field(&self, field: &str) -> &str {
        self.fields.get(field).unwrap_or_else(|| panic!("{}: no {field}", self.name))
    }

    fn address(&self, field: &str) -> IpAddr {
        self.field(field).parse().expect("an address")
    }

    fn is_good(&self) -> bool {
        self.fields.contains_key("version")
    }

    fn is_unicast(&self) -> bool {
        !GROUPS.contains(&self.field("to"))
    }

    /// The words of a router that would send the message, in the language of talks.
    fn router(&self) -> String {
        let field = |name: &str| self.field(name).to_owned();
        let priority = if field("priority") == "0" { "100".to_owned() } else { field("priority") };
        let mut words = format!(
            "router r vrid {} version {} priority {priority} interval {}",
            field("vrid"),
            field("version"),
            field("interval")
        );
        for address in self.field("addresses").split(' ') {
            let bits = if address.contains(':') { 128 } else { 32 };
            words += &format!(" address {address}/{bits}");
        }
        if let Some(password) = self.fields.get("password") {
            words += &format!(" password {password}");
        }
        if self.field("checksum") == "message" && field("version") == "3" {
            words += " checksum message-only";
        }
        words
    }

    /// A node that receives the message.
    fn receiver(&self) -> Engine {
        let router = match self.fields.get("receiver") {
            Some(words) => format!("router r {words}"),
            None => self.router(),
        };
        let own = if self.is_unicast() {
            self.field("to")
        } else if self.field("from").contains(':') {
            "fe80::77"
        } else {
            "192.168.200.77"
        };
        let unicast = if self.is_unicast() && self.is_good() {
            format!(" unicast {}", self.field("from"))
        } else {
            String::new()
        };
        node(own, &(router + &unicast))
    }

    fn hand_to(&self, engine: &mut Engine, message: &[u8]) -> Result<(), Reject> {
        let link = engine.actual().links.keys().next().copied().expect("the node has a link");
        let ttl = self.fields.get("ttl").map_or(255, |ttl| ttl.parse().expect("a ttl"));
        let (source, destination) = (self.address("from"), self.address("to"));
        let packet = Received { link, source, destination, ttl, payload: message };
        engine.handle_input(Input::Received(packet), Instant::ZERO + Duration::from_millis(1))
    }
}

fn node(own: &str, router: &str) -> Engine {
    let bits = if own.contains(':') { 64 } else { 24 };
    let mut given = Given::default();
    given.add(&format!("link eth0 address {own}/{bits}")).expect("a link");
    given.add(router).expect("a router");
    let mut engine = Engine::start(given.settings.clone(), Seed::default(), Instant::ZERO);
    let whole = Change::Whole(Box::new(given.kernel.actual().clone()));
    engine.handle_input(Input::Kernel(whole), Instant::ZERO).expect("only packets are rejected");
    engine
}

fn first_advert(engine: &mut Engine) -> Option<Vec<u8>> {
    std::iter::from_fn(|| engine.poll_transmit()).find_map(|transmit| match transmit {
        Transmit::Vrrp(vrrp::Transmit::Advert { payload, .. }) => Some(payload.into_vec()),
        Transmit::Vrrp(vrrp::Transmit::Frame { .. }) | Transmit::Bfd(_) | Transmit::Ask { .. } => {
            None
        }
    })
}

#[test]
fn every_good_vector_says_what_it_means() {
    for vector in vectors().iter().filter(|vector| vector.is_good()) {
        let (from, to) = (vector.address("from"), vector.address("to"));
        let (message, sum) = Message::read(&vector.message, from, to).expect("a message");
        let name = &vector.name;
        assert_eq!(message.vrid.to_string(), vector.field("vrid"), "{name}");
        assert_eq!(message.priority.to_string(), vector.field("priority"), "{name}");
        let addresses: Vec<String> = message.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses.join(" "), vector.field("addresses"), "{name}");
        let form = match sum {
            Sum::Message => "message",
            Sum::Pseudo(_, summed) if summed == to => "pseudo-header",
            Sum::Pseudo(..) => "group-pseudo-header",
            Sum::Wrong => "wrong",
        };
        assert_eq!(form, vector.field("checksum"), "{name}");
    }
}

#[test]
fn a_node_hears_every_good_vector_and_learns_from_it() {
    for vector in vectors().iter().filter(|vector| vector.is_good()) {
        let mut engine = vector.receiver();
        assert_eq!(vector.hand_to(&mut engine, &vector.message), Ok(()), "{}", vector.name);
        let status = engine.status(Instant::ZERO);
        let peers = &status.vrrp.routers[0].peers;
        assert_eq!(peers.len(), 1, "{}", vector.name);
        assert_eq!(peers[0].address, vector.address("from"), "{}", vector.name);
        assert_eq!(peers[0].priority.to_string(), vector.field("priority"), "{}", vector.name);
    }
}

#[test]
fn a_node_sends_every_good_vector_byte_for_byte() {
    let learnt = |vector: &&Vector| vector.field("checksum") == "group-pseudo-header";
    for vector in vectors().iter().filter(|vector| vector.is_good()).filter(|v| !learnt(v)) {
        let mut router = vector.router();
        let from = vector.field("from");
        if vector.is_unicast() {
            router += &format!(" unicast {}", vector.field("to"));
        }
        let link_local = if from.starts_with("2001:") { "fe80::1" } else { from };
        let mut engine = node(link_local, &format!("{router} source {from}"));
        let down = engine.poll_timeout().expect("a Backup waits").at;
        engine.handle_timeout(down);
        let mut sent = first_advert(&mut engine).expect("an Active advertises");
        if vector.field("priority") == "0" {
            let stop = Input::Command(Command::Stop);
            engine.handle_input(stop, down).expect("only packets are rejected");
            sent = first_advert(&mut engine).expect("a stopping Active says farewell");
        }
        assert_eq!(sent, vector.message, "{}", vector.name);
    }
}

#[test]
fn every_bad_vector_is_refused_for_its_reason() {
    let all = vectors();
    let bad = all.iter().filter(|vector| !vector.is_good());
    let mut refused = 0;
    for vector in bad {
        let mut engine = vector.receiver();
        let outcome = vector.hand_to(&mut engine, &vector.message);
        let expected = vector.fields.get("refused").map(String::as_str);
        assert_eq!(outcome.err().map(Reject::name), expected, "{}", vector.name);
        refused += usize::from(expected.is_some());
    }
    assert!(refused >= 15, "{refused} vectors are refused");
}

#[test]
fn no_vector_cut_short_is_heard() {
    for vector in vectors() {
        for len in 0..vector.message.len() {
            let mut engine = vector.receiver();
            let outcome = vector.hand_to(&mut engine, &vector.message[..len]);
            let padding_only = vector.name.ends_with("padded") && len >= 12;
            let garbage_only = vector.name.ends_with("trailing-byte") && len == 12;
            if !(padding_only || garbage_only) {
                assert!(outcome.is_err(), "{} cut to {len}", vector.name);
            }
        }
    }
}

/// A ones'-complement sum changes with every single bit, so no damaged message may pass.
#[test]
fn no_vector_with_one_bit_turned_is_heard() {
    for vector in vectors().iter().filter(|vector| vector.is_good()) {
        for bit in 0..vector.message.len() * 8 {
            let mut damaged = vector.message.clone();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            let mut engine = vector.receiver();
            let outcome = vector.hand_to(&mut engine, &damaged);
            assert!(outcome.is_err(), "{} with bit {bit} turned", vector.name);
        }
    }
}
