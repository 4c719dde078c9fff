//! Gauges: read outside, they count like scripts: files, processes, sessions.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::name::Name;
use crate::verdict::Verdict;
use crate::weight::Weight;

/// What a gauge reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GaugeKind {
    /// The number in a file.
    File,
    /// Whether enough processes of a kind run, and not too many.
    Process,
    /// Whether a session that watches a peer is up.
    Session,
}

/// A gauge: its kind and the name that the operator gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gauge {
    /// What it reads.
    pub kind: GaugeKind,
    /// Its name; unique among gauges of its kind.
    pub name: Name,
}

impl fmt::Display for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            GaugeKind::File => "file",
            GaugeKind::Process => "process",
            GaugeKind::Session => "session",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// What a gauge read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Good or bad: it does what a script's verdict does.
    Verdict(Verdict),
    /// A number: the weight is multiplied by it; without a weight, any number but 0 makes unfit.
    Level(i32),
}

/// A gauge that may be tracked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedGauge {
    /// The gauge.
    pub gauge: Gauge,
    /// What its reading does where nobody says otherwise.
    pub weight: Weight,
}

/// A reference to a gauge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackGauge {
    /// The gauge.
    pub gauge: Gauge,
    /// What its reading does here; the gauge's own weight if none.
    pub weight: Option<Weight>,
}

/// The gauges with what they read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    read: BTreeMap<Gauge, (Weight, Reading)>,
    /// Sessions, and the addresses of the machine that each reaches.
    vouchers: BTreeMap<Name, Vec<IpAddr>>,
}

impl Gauges {
    /// Takes other settings; a gauge that stays keeps its reading.
    pub(crate) fn configure(
        &mut self,
        asked: &[TrackedGauge],
        vouchers: &BTreeMap<Name, Vec<IpAddr>>,
    ) {
        self.vouchers.clone_from(vouchers);
        let mut earlier = std::mem::take(&mut self.read);
        for tracked in asked {
            let reading = earlier.remove(&tracked.gauge).map_or(UNREAD, |(_, reading)| reading);
            self.read.insert(tracked.gauge.clone(), (tracked.weight, reading));
        }
    }

    /// Takes in a reading; true if it is another one now.
    pub(crate) fn take(&mut self, gauge: &Gauge, reading: Reading) -> bool {
        let Some((_, last)) = self.read.get_mut(gauge) else { return false };
        std::mem::replace(last, reading) != reading
    }

    /// What a gauge read last.
    pub(crate) fn reading(&self, gauge: &Gauge) -> Reading {
        self.read.get(gauge).map_or(UNREAD, |(_, reading)| *reading)
    }

    /// Whether a session is up that reaches the machine of that address.
    pub(crate) fn vouch_for(&self, address: IpAddr) -> bool {
        let is_up = |session: &Name| {
            let gauge = Gauge { kind: GaugeKind::Session, name: session.clone() };
            self.reading(&gauge) == Reading::Verdict(Verdict::Up)
        };
        self.vouchers.iter().any(|(session, of)| of.contains(&address) && is_up(session))
    }

    /// The addresses of the machine that a session reaches, as far as it was told.
    pub(crate) fn vouched_by(&self, session: &Name) -> Vec<IpAddr> {
        self.vouchers.get(session).cloned().unwrap_or_default()
    }

    /// The weight of a tracked gauge: the reference's own, else the gauge's.
    pub(crate) fn weight_of(&self, track: &TrackGauge) -> Weight {
        let own = || self.read.get(&track.gauge).map(|(weight, _)| *weight);
        track.weight.or_else(own).unwrap_or_default()
    }

    /// Every gauge with its reading, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Gauge, Reading)> {
        self.read.iter().map(|(gauge, (_, reading))| (gauge, *reading))
    }
}

const UNREAD: Reading = Reading::Verdict(Verdict::Unknown);
