//! Who should be Active, given an advertisement. RFC 9568 §6.4.2, §6.4.3.

use std::net::IpAddr;

/// What an advertisement says of its sender's standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its priority; 0 is a farewell.
    pub priority: u8,
    /// From where it was sent.
    pub address: IpAddr,
}

/// What a Backup does with an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackupVerdict {
    /// The Active leaves: only the skew is waited for.
    Farewell,
    /// It is a rightful Active: the timer starts afresh.
    Accept,
    /// It is an Active that we mean to replace: the timer runs on.
    Outrank,
}

/// What an Active does with an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActiveVerdict {
    /// The sender leaves: say that we are here.
    Reassure,
    /// The sender claims to be Active with less right: say that we are, and announce.
    Defend,
    /// The sender has more right: become Backup.
    Yield,
    /// It is our own address with our own priority: nobody to yield to.
    Mirror,
}

/// Decides for a Backup of effective priority `ours`. `holds_back`: it does not preempt, or its preempt
/// delay is not over.
pub(crate) fn backup_hears(theirs: u8, ours: u8, holds_back: bool) -> BackupVerdict {
    if theirs == 0 {
        BackupVerdict::Farewell
    } else if holds_back || theirs >= ours {
        BackupVerdict::Accept
    } else {
        BackupVerdict::Outrank
    }
}

/// Decides for an Active. Of two equal priorities the higher address wins, as unsigned numbers in network
/// byte order. Not preempting does not matter here: a running Active always yields to a higher right.
pub(crate) fn active_hears(theirs: Claim, ours: Claim) -> ActiveVerdict {
    if theirs.priority == 0 {
        return ActiveVerdict::Reassure;
    }
    match theirs.priority.cmp(&ours.priority).then(theirs.address.cmp(&ours.address)) {
        std::cmp::Ordering::Less => ActiveVerdict::Defend,
        std::cmp::Ordering::Equal => ActiveVerdict::Mirror,
        std::cmp::Ordering::Greater => ActiveVerdict::Yield,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(priority: u8, address: &str) -> Claim {
        Claim { priority, address: address.parse().expect("an address") }
    }

    #[test]
    fn a_backup_decides_alike_for_every_pair_of_priorities() {
        for ours in 1..=255u8 {
            for theirs in 0..=255u8 {
                for holds_back in [false, true] {
                    let verdict = backup_hears(theirs, ours, holds_back);
                    let expected = match (theirs, holds_back) {
                        (0, _) => BackupVerdict::Farewell,
                        (_, true) => BackupVerdict::Accept,
                        (_, false) if theirs >= ours => BackupVerdict::Accept,
                        (_, false) => BackupVerdict::Outrank,
                    };
                    assert_eq!(verdict, expected, "{theirs} {ours} {holds_back}");
                }
            }
        }
    }

    #[test]
    fn of_two_actives_exactly_one_yields() {
        let low = "10.0.0.9";
        let high = "10.0.0.10";
        for (ours, theirs) in [(100, 100), (100, 101), (101, 100), (255, 255), (1, 254)] {
            let a = claim(ours, low);
            let b = claim(theirs, high);
            let verdicts = [active_hears(b, a), active_hears(a, b)];
            let yields = verdicts.iter().filter(|v| **v == ActiveVerdict::Yield).count();
            let defends = verdicts.iter().filter(|v| **v == ActiveVerdict::Defend).count();
            assert_eq!((yields, defends), (1, 1), "{ours} {theirs}");
        }
    }

    #[test]
    fn a_tie_is_broken_by_the_unsigned_address() {
        let low = claim(100, "127.0.0.1");
        let high = claim(100, "128.0.0.1");
        assert_eq!(active_hears(high, low), ActiveVerdict::Yield);
        assert_eq!(active_hears(low, high), ActiveVerdict::Defend);
        assert_eq!(active_hears(low, low), ActiveVerdict::Mirror);
        assert_eq!(active_hears(claim(0, "10.0.0.1"), low), ActiveVerdict::Reassure);
    }
}
