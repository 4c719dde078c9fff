//! One router in one line of the log.

use mainstay_api as api;

/// Where it stands.
pub(crate) fn standing(router: &api::Router) -> String {
    format!("{}: {:?}, because {}", router.name, router.state, router.why)
}

/// What it counted.
pub(crate) fn counted(router: &api::Router) -> String {
    let counters = &router.counters;
    let rejected: u64 = counters.rejects.values().sum();
    format!(
        "{}: became Active {}, released it {}; advertisements: {} sent, {} received, {rejected} \
         rejected; farewells: {} sent, {} received; announcements: {} sent",
        router.name,
        times(counters.became_active),
        times(counters.released_active),
        counters.adverts_sent,
        counters.adverts_received,
        counters.farewells_sent,
        counters.farewells_received,
        counters.announcements_sent,
    )
}

fn times(count: u64) -> String {
    if count == 1 { "1 time".to_owned() } else { format!("{count} times") }
}
