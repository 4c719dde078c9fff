//! Who watches its peers by sessions, and how fast.

use std::time::Duration;

use mainstay_engine::{Detection, Settings};

use crate::Random;

/// For drills: most clusters detect everywhere, some nowhere (as keepalived's do), some here and there.
pub fn draw_calm(random: &mut Random, all_settings: &mut [Settings]) {
    let mixed = random.within(0..=9);
    for settings in all_settings {
        settings.detection.on = match mixed {
            0 => false,
            1..=2 => random.chance(600_000),
            _ => true,
        };
    }
}

/// For trouble: with any times, alike on all nodes or on none.
pub fn draw_wild(random: &mut Random, all_settings: &mut [Settings]) {
    let (all, alike) = (wild(random), random.chance(700_000));
    for settings in all_settings {
        settings.detection = if alike { all.clone() } else { wild(random) };
    }
}

fn wild(random: &mut Random) -> Detection {
    Detection {
        on: random.chance(700_000),
        interval: Duration::from_millis(*random.choose(&[4, 10, 20, 50, 100])),
        multiplier: random.byte(2..=5),
        packets_per_second_max: *random.choose(&[50, 4_000, 4_000]),
        by_rhythm: true,
        authentication: None,
    }
}
