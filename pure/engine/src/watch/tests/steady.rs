//! What goes on for years asks for no memory.

use super::*;

fn many(priority: u8) -> Settings {
    let mut all = settings(priority);
    all.vrrp.routers = (1..=200)
        .map(|vrid| RouterSettings {
            vrid: Vrid::new(vrid).expect("a number"),
            name: Name::new(&format!("R{vrid}")),
            ..router(priority, &format!("10.0.0.{}/24", vrid + 40))
        })
        .collect();
    all
}

#[test]
fn a_node_that_only_keeps_watch_and_advertises_asks_for_no_memory() {
    let mut net = Net::of(vec![many(200), many(100)]);
    net.pass(Duration::from_secs(70));
    assert_eq!((net.state(0), net.state(1)), (StateName::Active, StateName::Backup));
    net.allocations = 0;
    net.forget_the_past();
    net.pass(Duration::from_secs(5));
    assert!(net.control_packets(0) > 1_000 && net.control_packets(1) > 1_000);
    let adverts = net.nodes[0].sent.len() - net.control_packets(0);
    assert!(adverts >= 800, "{adverts}");
    assert_eq!(net.allocations, 0);
}
