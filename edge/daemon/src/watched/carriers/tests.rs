//! A veth whose far end goes down and comes back, in a namespace of its own.

use std::sync::mpsc::Receiver;

use mainstay_linux::netns::Namespace;
use mainstay_linux::reactor::Reactor;
use mainstay_linux::topology::Links;

use super::*;
use crate::channel::to_engine;

/// What is told next.
async fn next(words: &Receiver<ToEngine>) -> (String, bool) {
    for _ in 0..2000 {
        if let Ok(word) = words.try_recv() {
            let ToEngine::CarrierRead { link, present } = word else { panic!("{word:?}") };
            return (link.to_string(), present);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing is told");
}

#[test]
fn a_carrier_that_goes_and_comes_back_is_told_each_time() {
    let namespace = Namespace::make().expect("this test needs permission to make namespaces");
    namespace.run(|| runtime().block_on(goes_and_comes_back())).expect("enterable");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn goes_and_comes_back() {
    let mut links = Links::of(&Namespace::current().expect("ours")).expect("netlink opens");
    links.create_veth("near", "far", None).expect("veth");
    for name in ["near", "far"] {
        links.set_up(name).expect("up");
    }
    let link = |name: &str| name.parse::<LinkName>().expect("a link name");
    let is_running = |name| Carriers::open()?.has_carrier(&link(name), CarrierSource::Flags);
    for _ in 0..2000 {
        if is_running("near").expect("it is there") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let reactor = Reactor::start().expect("a reactor");
    let (engine, words) = to_engine(reactor.waker());
    let asked = [("near", CarrierSource::Ethtool), ("missing", CarrierSource::Mii)];
    let asked = asked.map(|(name, source)| (link(name), source));
    let task = tokio::spawn(watch(BTreeMap::from(asked), engine));
    let near = |present| ("near".to_owned(), present);
    assert_eq!(next(&words).await, near(true), "nothing is told of the one that is missing");
    links.set_down("far").expect("down");
    assert_eq!(next(&words).await, near(false));
    links.set_up("far").expect("up");
    assert_eq!(next(&words).await, near(true));
    task.abort();
}
