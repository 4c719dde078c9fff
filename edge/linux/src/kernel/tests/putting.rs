//! Steps carried out and refused.

use std::net::IpAddr;

use mainstay_plan::{Lifetime, Scope};
use rustix::thread::CapabilitySet;

use super::*;
use crate::testing::{ip, namespace, pair};

#[test]
fn an_address_is_told_before_its_step_is_answered() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    for text in ["10.0.0.9/24", "2001:db8::9/64"] {
        let key = key("left", text);
        let there = left.apply(&[add(link, key.clone())]);
        assert_eq!(said(&there), [format!("+{text}"), format!("ok add {text} on left")]);
        let gone = left.apply(&[remove(link, key)]);
        let gone: Vec<String> =
            said(&gone).into_iter().filter(|one| !one.starts_with('+')).collect();
        assert_eq!(gone, [format!("-{text} by us"), format!("ok remove {text} on left")]);
    }
    left.is_faithful();
}

#[test]
fn addresses_stand_as_asked_and_bear_our_mark() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let options = AddressOptions {
        broadcast: Some(IpAddr::from([10, 0, 0, 255])),
        scope: Scope::Link,
        label: Some("left:vip".into()),
        no_prefix_route: true,
        preferred: Lifetime::Seconds(0),
        ..AddressOptions::default()
    };
    let key4 = key("left", "10.0.0.9/24");
    left.apply(&[Step::AddAddress { link, key: key4, options: options.clone() }]);
    let seen = &ip(&pair.left, "-4 addr show left")[0]["addr_info"][0];
    assert_eq!(seen["local"], "10.0.0.9");
    assert_eq!(seen["prefixlen"], 24);
    assert_eq!(seen["broadcast"], "10.0.0.255");
    assert_eq!(seen["scope"], "link");
    assert_eq!(seen["label"], "left:vip");
    assert_eq!(seen["noprefixroute"], true);
    assert_eq!(seen["deprecated"], true);
    let present = &left.mirror.addresses[&(link, address("10.0.0.9/24"))];
    assert!(present.ours && present.unusable);
    assert_eq!(present.options, options);
    assert_eq!(left.kernel.keeps_marks(), Some(true));
}

#[test]
fn an_ipv6_address_is_usable_at_once_and_never_chosen_when_deprecated() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let options = AddressOptions {
        preferred: Lifetime::Seconds(0),
        home: true,
        manage_temporary: true,
        ..AddressOptions::default()
    };
    let news =
        left.apply(&[Step::AddAddress { link, key: key("left", "2001:db8::9/64"), options }]);
    assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
    let listed = ip(&pair.left, "-6 addr show left scope global");
    let seen = &listed[0]["addr_info"][0];
    assert_eq!(seen["local"], "2001:db8::9");
    assert_eq!(seen["nodad"], true);
    assert_eq!(seen["deprecated"], true);
    assert_eq!(seen["home"], true);
    assert_eq!(seen["mngtmpaddr"], true);
    assert!(seen.get("tentative").is_none());
    let ours = |news: &News| matches!(news, News::Changed(Change::Address { present, .. }) if present.ours && present.options.home);
    assert!(news.iter().any(ours), "it is told before the step's end: {news:?}");
    left.is_faithful();
}

#[test]
fn an_ipv6_address_that_is_not_in_use_yet_is_neither_asked_for_twice_nor_left_behind() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let step = add(link, key("left", "fd00::9/128"));
    for _ in 0..3 {
        let news = left.kernel.apply(std::slice::from_ref(&step));
        assert!(!news.iter().any(|news| matches!(news, News::Refused(..))), "{news:?}");
    }
    let is_awaited = !left.kernel.awaited.is_empty();
    left.kernel.forgo();
    let there = left.fresh.read_whole().expect("readable").addresses;
    assert_eq!(there.contains_key(&(link, address("fd00::9/128"))), !is_awaited);
}

#[test]
fn an_address_whose_notification_was_lost_is_looked_up_afresh() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let step = add(link, key("left", "fd00::9/128"));
    let held = (link, address("fd00::9/128"));
    left.apply(std::slice::from_ref(&step));
    // As if the kernel had told of it at a moment at which nobody could hear.
    let long_ago = Instant::now().checked_sub(Duration::from_secs(2)).expect("the machine is up");
    let later = Instant::now() + Duration::from_secs(60);
    for (since, is_overdue) in [(later, false), (long_ago, true)] {
        left.kernel.awaited.insert(held, Awaited { step: step.clone(), since });
        assert_eq!(left.kernel.is_overdue(), is_overdue);
        let news = left.kernel.drain().expect("the socket works");
        let told = |news: &News| matches!(news, News::Changed(Change::Whole(whole)) if whole.addresses[&held].ours);
        assert_eq!(news.iter().any(told), is_overdue, "{news:?}");
    }
    assert!(left.kernel.awaited.is_empty() && !left.kernel.is_overdue());
    let again = left.apply(std::slice::from_ref(&step));
    assert!(matches!(again.last(), Some(News::Applied(_))), "{again:?}");
}

#[test]
fn a_far_end_takes_the_prefix_and_is_removed_with_it() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    for (near, far, length) in
        [("10.0.0.1/32", "10.0.0.2/24", 24), ("fd00::1/128", "fd00::2/64", 64)]
    {
        let options = AddressOptions { peer: Some(address(far)), ..AddressOptions::default() };
        left.apply(&[Step::AddAddress { link, key: key("left", near), options }]);
        let (held, present) = left
            .mirror
            .addresses_on(link)
            .find(|(held, _)| held.ip() == address(near).ip())
            .expect("it is there");
        assert_eq!(held.prefix_len(), length);
        assert_eq!(present.options.peer, Some(address(far)));
        let key = AddressKey { link: "left".parse().expect("a name"), address: held };
        let gone = left.apply(&[remove(link, key)]);
        assert!(matches!(gone.last(), Some(News::Applied(_))), "{gone:?}");
    }
    left.is_faithful();
}

#[test]
fn refusals_come_in_words() {
    let mut pair = pair();
    pair.left_links.add_address("left", address("10.0.0.9/24")).expect("added");
    pair.left_links.add_address("left", address("2001:db8::9/64")).expect("added");
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let nowhere = LinkIndex(4711);
    let news = left.apply(&[
        add(link, key("left", "10.0.0.9/24")),
        add(link, key("left", "2001:db8::9/128")),
        add(nowhere, key("left", "10.0.0.8/24")),
        add(link, key("left", "10.0.0.7/24")),
    ]);
    // What the other program added may be told late.
    let late = |one: &String| one == "+2001:db8::9/64";
    let said: Vec<String> = said(&news).into_iter().filter(|one| !late(one)).collect();
    // Newer kernels give a sentence of their own, older ones only the number.
    let says = |at: usize, words: &[&str]| words.iter().any(|words| said[at].contains(words));
    assert!(says(0, &["ddress already assigned", "File exists"]), "{said:?}");
    assert!(says(1, &["ddress already assigned", "File exists"]), "{said:?}");
    assert!(says(2, &["evice not found", "No such device"]), "{said:?}");
    assert_eq!(said[3..], ["+10.0.0.7/24", "ok add 10.0.0.7/24 on left"]);
}

#[test]
fn what_others_put_there_is_never_overwritten_but_ours_takes_new_options() {
    let mut pair = pair();
    pair.left_links.add_address("left", address("10.0.0.1/24")).expect("added");
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    left.apply(&[add(link, key("left", "10.0.0.9/32"))]);
    let options = AddressOptions { preferred: Lifetime::Seconds(0), ..AddressOptions::default() };
    let changed =
        |text| Step::AddAddress { link, key: key("left", text), options: options.clone() };
    let news = left.apply(&[changed("10.0.0.9/32"), changed("10.0.0.1/24")]);
    assert!(matches!(news[1], News::Applied(_)), "{news:?}");
    assert!(matches!(&news[2], News::Refused(_, refusal) if refusal.errno == libc::EEXIST));
    assert_eq!(left.mirror.addresses[&(link, address("10.0.0.9/32"))].options, options);
    assert!(!left.mirror.addresses[&(link, address("10.0.0.1/24"))].ours);
}

#[test]
fn removing_what_is_gone_already_is_done() {
    let pair = pair();
    let mut left = Watched::open(&pair.left);
    let link = left.index("left");
    let news = left.apply(&[remove(link, key("left", "10.0.0.9/24"))]);
    assert_eq!(said(&news), ["ok remove 10.0.0.9/24 on left"]);
}

#[test]
fn without_permission_every_step_is_refused() {
    let pair = pair();
    let news = pair
        .left
        .run(|| {
            let mut sets = rustix::thread::capabilities(None).expect("readable");
            sets.effective = CapabilitySet::empty();
            sets.permitted = CapabilitySet::empty();
            rustix::thread::set_capabilities(None, sets).expect("giving up is allowed");
            let open = || Kernel::open().expect("reading needs no permission");
            let mut left = Watched::of(open(), open());
            let link = left.index("left");
            left.apply(&[add(link, key("left", "10.0.0.9/24"))])
        })
        .expect("enterable");
    assert_eq!(said(&news), ["add 10.0.0.9/24 on left: Operation not permitted"]);
}

#[test]
fn a_permission_that_is_lost_while_running_and_comes_back_refuses_single_steps_only() {
    let pair = pair();
    let told = pair.left.run(|| {
        let open = || Kernel::open().expect("opens");
        let mut left = Watched::of(open(), open());
        let link = left.index("left");
        let key = |n: u8| key("left", &format!("10.0.0.{n}/24"));
        let permitted = rustix::thread::capabilities(None).expect("readable");
        let may = |effective: CapabilitySet| {
            let sets = rustix::thread::CapabilitySets { effective, ..permitted };
            rustix::thread::set_capabilities(None, sets).expect("within what is permitted");
        };
        let mut told = said(&left.apply(&[add(link, key(7))]));
        may(CapabilitySet::empty());
        told.extend(said(&left.apply(&[remove(link, key(7)), add(link, key(8))])));
        left.is_faithful();
        may(permitted.effective);
        told.extend(said(&left.apply(&[remove(link, key(7)), add(link, key(8))])));
        left.is_faithful();
        told
    });
    let expected = [
        "+10.0.0.7/24",
        "ok add 10.0.0.7/24 on left",
        "remove 10.0.0.7/24 on left: Operation not permitted",
        "add 10.0.0.8/24 on left: Operation not permitted",
        "-10.0.0.7/24 by us",
        "ok remove 10.0.0.7/24 on left",
        "+10.0.0.8/24",
        "ok add 10.0.0.8/24 on left",
    ];
    assert_eq!(told.expect("enterable"), expected);
}

#[test]
fn addresses_of_an_earlier_life_are_known_again() {
    let pair = pair();
    let mut first = Watched::open(&pair.left);
    let link = first.index("left");
    first.apply(&[add(link, key("left", "10.0.0.9/32")), add(link, key("left", "fd00::9/128"))]);
    drop(first);
    let second = Watched::open(&pair.left);
    for text in ["10.0.0.9/32", "fd00::9/128"] {
        assert!(second.mirror.addresses[&(link, address(text))].ours, "{text}");
    }
}

#[test]
fn two_hundred_and_fifty_five_addresses_are_four_round_trips() {
    let namespace = namespace();
    let mut links = crate::topology::Links::of(&namespace).expect("opens");
    links.create_veth("left", "right", None).expect("veth");
    links.set_up("left").expect("up");
    links.set_up("right").expect("up");
    let mut left = Watched::open(&namespace);
    let link = left.index("left");
    for prefix in ["10.0.0.", "fd00::"] {
        let bits = if prefix.contains(':') { 128 } else { 32 };
        let keys: Vec<AddressKey> =
            (1..=255).map(|n| key("left", &format!("{prefix}{n}/{bits}"))).collect();
        let before = left.kernel.channel.sends.get();
        let started = Instant::now();
        let news = left.apply(&keys.iter().map(|k| add(link, k.clone())).collect::<Vec<_>>());
        let adding = started.elapsed();
        assert_eq!(left.kernel.channel.sends.get() - before, 4);
        let done = |news: &[News]| news.iter().filter(|n| matches!(n, News::Applied(_))).count();
        assert_eq!(done(&news), 255);
        let started = Instant::now();
        let news = left.apply(&keys.into_iter().map(|k| remove(link, k)).collect::<Vec<_>>());
        let removing = started.elapsed();
        assert_eq!(done(&news), 255);
        assert_eq!(left.kernel.channel.sends.get() - before, 8);
        println!("255 addresses {prefix}N/{bits}: added in {adding:?}, removed in {removing:?}");
    }
    left.is_faithful();
}

#[test]
fn a_kernel_that_keeps_no_marks_is_remembered_for() {
    let mut pair = pair();
    let open = || (Kernel::open().expect("opens"), Kernel::open().expect("opens"));
    let (mut kernel, fresh) = pair.left.run(open).expect("enterable");
    kernel.mark = None;
    let mut left = Watched::of(kernel, fresh);
    let link = left.index("left");
    for (ours, theirs) in [("10.0.0.9/24", "10.1.0.7/24"), ("2001:db8::9/64", "2001:db8::7/64")] {
        let (ours, theirs) = (key("left", ours), address(theirs));
        let news = left.apply(&[add(link, ours.clone())]);
        assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
        assert!(left.mirror.addresses[&(link, ours.address)].ours, "{news:?}");
        assert_eq!(left.kernel.keeps_marks(), Some(false));
        pair.left_links.add_address("left", theirs).expect("added");
        left.until(
            |change| matches!(change, Change::Address { address, .. } if *address == theirs),
        );
        assert!(!left.mirror.addresses[&(link, theirs)].ours);
        // A reading of everything does not forget.
        let whole = left.kernel.read_whole().expect("readable");
        assert!(whole.addresses[&(link, ours.address)].ours);
        let news = left.apply(&[remove(link, ours.clone())]);
        assert!(matches!(news.last(), Some(News::Applied(_))), "{news:?}");
        assert!(!left.mirror.addresses.contains_key(&(link, ours.address)));
        pair.left_links.remove_address("left", theirs).expect("removed");
    }
}
