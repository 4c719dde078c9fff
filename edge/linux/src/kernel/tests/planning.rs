//! Plans carried out by the real kernel.

use mainstay_plan::{Lifetime, Wants, steps};

use super::*;
use crate::testing::pair;
use crate::topology::set_sysctl;

fn wants(addresses: &[(&str, &AddressOptions)]) -> Wants {
    let wanted = addresses.iter().map(|(text, options)| (key("left", text), (*options).clone()));
    Wants { addresses: wanted.collect(), ..Wants::default() }
}

/// Plans and applies until nothing is left to do; gives how many rounds that took.
fn reach(left: &mut Watched, wants: &Wants) -> usize {
    for round in 0..4 {
        let steps = steps(wants, &left.mirror);
        if steps.is_empty() {
            return round;
        }
        let news = left.apply(&steps);
        let refused: Vec<_> = news.iter().filter(|n| matches!(n, News::Refused(..))).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
    panic!("still to do: {:?}", steps(wants, &left.mirror));
}

#[test]
fn one_round_reaches_what_is_wanted_with_and_without_promotion() {
    let plain = AddressOptions::default();
    let deprecated =
        AddressOptions { preferred: Lifetime::Seconds(0), ..AddressOptions::default() };
    let labelled = AddressOptions { label: Some("left:7".into()), ..AddressOptions::default() };
    let homely = AddressOptions { home: true, ..AddressOptions::default() };
    for promotes in ["0", "1"] {
        let pair = pair();
        let name = "net.ipv4.conf.left.promote_secondaries";
        pair.left.run(|| set_sysctl(name, promotes)).expect("enterable").expect("set");
        let mut left = Watched::open(&pair.left);
        let link = left.index("left");
        let first = wants(&[
            ("10.0.0.1/24", &plain),
            ("10.0.0.2/24", &plain),
            ("10.0.0.3/24", &plain),
            ("fd00::1/64", &plain),
            ("fd00::2/64", &plain),
        ]);
        assert_eq!(reach(&mut left, &first), 1);
        let second = wants(&[
            ("10.0.0.2/24", &labelled),
            ("10.0.0.3/24", &deprecated),
            ("10.0.0.4/24", &plain),
            ("10.0.0.3/32", &plain),
            ("fd00::1/128", &plain),
            ("fd00::2/64", &homely),
        ]);
        assert_eq!(reach(&mut left, &second), 1);
        left.is_faithful();
        assert!(steps(&second, &left.mirror).is_empty(), "the kernel's own view agrees");
        assert!(!left.mirror.addresses.contains_key(&(link, address("10.0.0.1/24"))));
    }
}
