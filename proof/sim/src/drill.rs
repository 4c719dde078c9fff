//! One thing done to a calm cluster, and what its clients may notice of it.

use std::fmt;
use std::time::Duration;

use crate::Random;

/// The least distance between the priorities of two nodes where there are few: their skews are 0.8 ms apart then. The
/// difference of a smaller one drowns in what machines are late and packets are under way.
pub const PRIORITY_STEP: usize = 25;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drill {
    /// All cables of an Active node are pulled, and put back.
    HostCut,
    /// An Active node loses power, and starts again.
    PowerOff,
    /// An Active node stands still for a while, as a virtual machine that is paused.
    Frozen,
    /// A Backup stands still for a while, as a host that sleeps.
    BackupFrozen,
    /// The processes of an Active node are stopped for a while; its kernel goes on.
    Paused,
    /// The processes of a Backup are stopped for a while, longer than its sockets can bear.
    BackupPaused,
    /// The control process of an Active node dies, and is started again.
    Killed,
    /// The daemon of an Active node is stopped properly, and started again.
    Left,
    /// An Active node is drained, and undrained.
    Drained,
    /// A router is switched to another node.
    Switched,
    /// A Backup gets a higher priority than the Active.
    Raised,
    /// An Active gets a lower priority than all Backups.
    Lowered,
    /// The machines of the Backups are saturated for a while, that of the Active is busy within its limits.
    Saturated,
    /// A Backup is not heard for a while, and hears all.
    Mute,
    /// A Backup hears nothing for a while, and is heard.
    Deaf,
    /// The links of a Backup lose and regain their carrier every 100 ms, for up to a minute.
    BackupFlaps,
    /// The same, in a place where the Backup does not see it.
    BackupFlapsUnseen,
    /// The links of an Active node lose and regain their carrier every 100 ms, for up to a minute.
    Flaps,
    /// The same, in a place where the Active does not see it.
    FlapsUnseen,
    /// Packets overtake one another.
    Reordered,
}

/// All of them.
pub const ALL: [Drill; 20] = [
    Drill::HostCut,
    Drill::PowerOff,
    Drill::Frozen,
    Drill::BackupFrozen,
    Drill::Paused,
    Drill::BackupPaused,
    Drill::Killed,
    Drill::Left,
    Drill::Drained,
    Drill::Switched,
    Drill::Raised,
    Drill::Lowered,
    Drill::Saturated,
    Drill::Mute,
    Drill::Deaf,
    Drill::BackupFlaps,
    Drill::BackupFlapsUnseen,
    Drill::Flaps,
    Drill::FlapsUnseen,
    Drill::Reordered,
];

impl Drill {
    /// Three of them.
    pub fn draw(random: &mut Random) -> Vec<Drill> {
        (0..3).map(|_| *random.choose(&ALL)).collect()
    }

    /// Its name: `host cut`.
    pub const fn name(self) -> &'static str {
        match self {
            Drill::HostCut => "host cut",
            Drill::PowerOff => "power off",
            Drill::Frozen => "machine frozen",
            Drill::BackupFrozen => "Backup frozen",
            Drill::Paused => "process paused",
            Drill::BackupPaused => "Backup paused",
            Drill::Killed => "process killed",
            Drill::Left => "stopped properly",
            Drill::Drained => "drained",
            Drill::Switched => "switched",
            Drill::Raised => "Backup raised",
            Drill::Lowered => "Active lowered",
            Drill::Saturated => "machines saturated",
            Drill::Mute => "Backup not heard",
            Drill::Deaf => "Backup hears nothing",
            Drill::BackupFlaps => "Backup's links flap",
            Drill::BackupFlapsUnseen => "Backup's cables flap",
            Drill::Flaps => "Active's links flap",
            Drill::FlapsUnseen => "Active's cables flap",
            Drill::Reordered => "packets overtake",
        }
    }

    /// The longest time without an answer that a client may see, where a watched node takes over; none where
    /// nothing is promised while it lasts.
    pub const fn gap_max(self) -> Option<Duration> {
        match self {
            // A peer that came up lately has shown no rhythm yet: eight detection times are waited for.
            Drill::HostCut | Drill::PowerOff | Drill::Frozen | Drill::Killed => {
                Some(Duration::from_millis(125))
            }
            Drill::Paused
            | Drill::BackupFrozen
            | Drill::BackupPaused
            | Drill::Left
            | Drill::Drained
            | Drill::Switched
            | Drill::Raised
            | Drill::Lowered
            | Drill::Saturated
            | Drill::Mute
            | Drill::Deaf
            | Drill::BackupFlaps
            | Drill::Reordered => Some(Duration::ZERO),
            Drill::BackupFlapsUnseen | Drill::Flaps | Drill::FlapsUnseen => None,
        }
    }

    /// The most that the median of many may be.
    pub const fn gap_median_max(self) -> Option<Duration> {
        match self {
            Drill::HostCut | Drill::PowerOff | Drill::Frozen => Some(Duration::from_millis(20)),
            Drill::Killed => Some(Duration::from_millis(15)),
            Drill::Paused
            | Drill::BackupFrozen
            | Drill::BackupPaused
            | Drill::Left
            | Drill::Drained
            | Drill::Switched
            | Drill::Raised
            | Drill::Lowered
            | Drill::Saturated
            | Drill::Mute
            | Drill::Deaf
            | Drill::BackupFlaps
            | Drill::BackupFlapsUnseen
            | Drill::Flaps
            | Drill::FlapsUnseen
            | Drill::Reordered => None,
        }
    }
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
