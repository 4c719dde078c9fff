//! Routers that sign: pairs that believe each other, and nobody else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::{Bench, HIGH, LOW, OWN, ip, on, priority, router, settings};
use crate::event::StateName;
use crate::settings::*;
use crate::{Input, Reject, Transmit};

fn key(byte: u8) -> HmacKey {
    HmacKey { secret: vec![byte; 32], file: None }
}

fn hmac(keys: &[u8], active_key: u8, mode: HmacMode) -> Hmac {
    let keys: BTreeMap<u8, HmacKey> = keys.iter().map(|id| (*id, key(*id))).collect();
    Hmac { keys, active_key, freshness: Freshness::Within(Duration::from_secs(5)), mode }
}

fn signing(version: Version, hmac: Hmac) -> Settings {
    let asked = router(51, "10.0.0.9/24");
    let authentication = Authentication::Hmac(hmac);
    settings(vec![RouterSettings { version, authentication, ..asked }])
}

fn usual() -> Settings {
    signing(Version::V3, hmac(&[1], 1, HmacMode::Enforce))
}

/// The advertisements that were sent.
fn said(bench: &Bench) -> Vec<Vec<u8>> {
    let advert = |transmit: &Transmit| match transmit {
        Transmit::Advert { payload, .. } => Some(payload.to_vec()),
        Transmit::Frame { .. } => None,
    };
    bench.sent.iter().filter_map(advert).collect()
}

/// An Active with these settings, its advertisements, and a Backup of the same age that hears them.
fn pair(active: Settings, backup: Settings) -> (Bench, Bench) {
    let mut first = Bench::start(active);
    let second = Bench::start(backup);
    first.pass_ms(3_700);
    assert_eq!(first.state(), StateName::Active);
    let mut second = second;
    second.pass_ms(3_500);
    second.now = first.now;
    (first, second)
}

fn hears(bench: &mut Bench, payload: &[u8]) -> Result<(), Reject> {
    // The bench of the Active speaks from the same address as all benches.
    bench.receive(OWN, "224.0.0.18", payload)
}

#[test]
fn both_versions_sign_and_are_believed() {
    for version in [Version::V2, Version::V3] {
        let asked = signing(version, hmac(&[1], 1, HmacMode::Enforce));
        let (first, mut second) = pair(asked.clone(), asked);
        let advert = said(&first).swap_remove(0);
        let plain = match version {
            Version::V2 => 20,
            Version::V3 => 12,
        };
        assert_eq!(advert.len(), plain + 28);
        assert_eq!(hears(&mut second, &advert), Ok(()), "{version:?}");
        assert_eq!(second.view(0).counters.adverts_received, 1);
    }
}

#[test]
fn ipv6_signs_and_is_believed() {
    let mut asked = usual();
    asked.routers[0].family = mainstay_base::Family::V6;
    asked.routers[0].addresses = vec![on("eth0", "fe80::9/64")];
    asked.routers[0].peers = Peers::Multicast { group: ip("ff02::12") };
    let (first, mut second) = pair(asked.clone(), asked);
    let advert = said(&first).swap_remove(0);
    assert_eq!(second.receive("fe80::5", "ff02::12", &advert), Ok(()));
    let again = second.receive("fe80::5", "ff02::12", &advert);
    assert_eq!(again, Err(Reject::HmacReplayed));
}

#[test]
fn a_copy_is_not_believed_and_neither_is_an_old_one() {
    let (mut first, mut second) = pair(usual(), usual());
    first.pass_ms(1_000);
    second.now = first.now;
    let adverts = said(&first);
    assert_eq!(hears(&mut second, &adverts[1]), Ok(()));
    assert_eq!(hears(&mut second, &adverts[1]), Err(Reject::HmacReplayed));
    assert_eq!(hears(&mut second, &adverts[0]), Err(Reject::HmacReplayed));
    let mut third = Bench::start(usual());
    third.pass_ms(3_500);
    third.now = first.now + Duration::from_secs(5);
    assert_eq!(hears(&mut third, &adverts[1]), Err(Reject::HmacStale));
    assert_eq!(third.view(0).counters.rejects.get(&Reject::HmacStale), Some(&1));
}

#[test]
fn clocks_that_differ_are_noticed_unless_growth_is_all_that_counts() {
    for (freshness, expected) in [
        (Freshness::Within(Duration::from_secs(5)), Err(Reject::HmacStale)),
        (Freshness::Growing, Ok(())),
    ] {
        let mut asked = usual();
        let hmac = Hmac { freshness, ..hmac(&[1], 1, HmacMode::Enforce) };
        asked.routers[0].authentication = Authentication::Hmac(hmac);
        let (first, mut second) = pair(asked.clone(), asked);
        second.tell(Input::TimeOfDay(Duration::from_secs(1_000_000)));
        assert_eq!(hears(&mut second, &said(&first)[0]), expected);
    }
}

#[test]
fn time_of_day_goes_on_from_where_it_was_told() {
    let mut first = Bench::start(usual());
    let day = Duration::from_secs(1_700_000_000);
    first.tell(Input::TimeOfDay(day));
    first.pass_ms(3_700);
    let advert = said(&first).swap_remove(0);
    let seconds = u32::from_be_bytes(advert[16..20].try_into().expect("four bytes"));
    assert_eq!(u64::from(seconds), day.as_secs() + 3);
    first.reload(&usual());
    let mut other = usual();
    other.routers.push(RouterSettings {
        priority: priority(255),
        start_as: StartAs::Active,
        ..signing(Version::V3, hmac(&[1], 1, HmacMode::Enforce)).routers.swap_remove(0)
    });
    other.routers[1].vrid = Vrid::new(52).expect("a number");
    other.routers[1].name = Name::new("R52");
    first.forget();
    first.reload(&other);
    let advert = said(&first).into_iter().find(|advert| advert[1] == 52).expect("it is Active");
    let seconds = u32::from_be_bytes(advert[16..20].try_into().expect("four bytes"));
    assert_eq!(u64::from(seconds), day.as_secs() + 3, "one that comes later knows the time, too");
}

#[test]
fn keys_rotate_without_a_moment_of_disbelief() {
    let old = || signing(Version::V3, hmac(&[1], 1, HmacMode::Enforce));
    let both = |active| signing(Version::V3, hmac(&[1, 2], active, HmacMode::Enforce));
    let (mut first, mut second) = pair(both(1), both(1));
    assert_eq!(hears(&mut second, &said(&first)[0]), Ok(()));
    first.forget();
    first.reload(&both(2));
    let with_the_new_key = said(&first).swap_remove(0);
    assert_eq!(with_the_new_key[13], 2, "the other key signs at once");
    assert_eq!(hears(&mut second, &with_the_new_key), Ok(()));
    let (_, mut late) = pair(old(), old());
    assert_eq!(hears(&mut late, &with_the_new_key), Err(Reject::HmacKey));
}

#[test]
fn a_group_learns_to_sign_in_three_sweeps() {
    let mode = |mode| signing(Version::V3, hmac(&[1], 1, mode));
    let unsigned =
        || settings(vec![RouterSettings { version: Version::V3, ..router(51, "10.0.0.9/24") }]);
    for (one, other) in [
        (unsigned(), mode(HmacMode::ReceiveOnly)),
        (mode(HmacMode::ReceiveOnly), mode(HmacMode::Permissive)),
        (mode(HmacMode::Permissive), mode(HmacMode::Enforce)),
    ] {
        for (speaker, hearer) in [(one.clone(), other.clone()), (other, one)] {
            let (first, mut second) = pair(speaker.clone(), hearer.clone());
            let heard = hears(&mut second, &said(&first)[0]);
            assert_eq!(heard, Ok(()), "{speaker:?}\n{hearer:?}");
        }
    }
    let (first, mut second) = pair(unsigned(), mode(HmacMode::Enforce));
    assert_eq!(hears(&mut second, &said(&first)[0]), Err(Reject::HmacMissing));
}

#[test]
fn a_forger_does_not_move_anybody() {
    let mut bench = Bench::active(usual());
    let mut forger = Bench::active(signing(Version::V3, hmac(&[1], 1, HmacMode::Enforce)));
    let mut wrong = hmac(&[1], 1, HmacMode::Enforce);
    wrong.keys.insert(1, key(9));
    let mut asked = signing(Version::V3, wrong);
    asked.routers[0].priority = priority(254);
    forger.reload(&asked);
    let advert = said(&forger).pop().expect("its priority rose");
    for from in [LOW, HIGH] {
        assert_eq!(bench.receive(from, "224.0.0.18", &advert), Err(Reject::HmacDigest));
    }
    assert_eq!(bench.hear(254, HIGH), Err(Reject::HmacMissing));
    assert_eq!(bench.hear(0, HIGH), Err(Reject::HmacMissing));
    assert_eq!(bench.state(), StateName::Active);
    let rejects = bench.view(0).counters.rejects;
    assert_eq!(rejects.get(&Reject::HmacDigest), Some(&2));
    assert_eq!(rejects.get(&Reject::HmacMissing), Some(&2));
}

#[test]
fn the_farewell_of_the_last_will_is_believed_after_every_advertisement() {
    let (mut first, mut second) = pair(usual(), usual());
    for _ in 0..3 {
        let will = first.table.farewells();
        assert!(first.table.farewells_age());
        let Some(Transmit::Advert { payload, .. }) = will.first() else {
            panic!("an Active has a will: {will:?}");
        };
        let router = will[0].router().expect("a farewell is an advertisement");
        assert_eq!(first.table.farewells_of(router), will, "it is the only one");
        assert_eq!(second.table.farewells_of(router), [], "a Backup has none");
        let advert = said(&first).pop().expect("it speaks");
        let mut witness = Bench::start(usual());
        witness.pass_ms(3_500);
        witness.now = first.now;
        assert_eq!(hears(&mut witness, &advert), Ok(()));
        assert_eq!(hears(&mut witness, payload), Ok(()), "it is later than what was said");
        assert_eq!(hears(&mut second, &advert), Ok(()));
        first.pass_ms(1_000);
        second.now = first.now;
    }
    let advert = said(&first).pop().expect("it speaks");
    assert_eq!(hears(&mut second, &advert), Ok(()), "what is said later is later than the will");
}

#[test]
fn both_farewells_of_an_unfit_router_are_believed() {
    let (mut first, mut second) = pair(usual(), usual());
    assert_eq!(hears(&mut second, &said(&first)[0]), Ok(()));
    first.forget();
    first.link_is(crate::bench::LINK, false);
    let farewells = said(&first);
    assert_eq!(farewells.len(), 2);
    second.now = first.now;
    for farewell in farewells {
        assert_eq!(hears(&mut second, &farewell), Ok(()));
    }
}
