//! The laws of a machine, held to by a node under random scripts.

use mainstay_sim::{Exercise, Random, laws};

#[test]
fn a_node_keeps_the_laws() {
    for seed in 1..=60 {
        let random = Random::new(seed).derive("laws");
        let outcome = laws::check(|| Exercise::of_seed(seed), &random, 200);
        assert_eq!(outcome, Ok(()), "seed {seed}");
    }
}
