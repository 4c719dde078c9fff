//! Any bytes as the body of a command on the control socket.
#![no_main]

use mainstay_api::{Drain, Switch};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(switch) = serde_json::from_slice::<Switch>(bytes) {
        let said = serde_json::to_vec(&switch).expect("what was read can be said");
        assert_eq!(serde_json::from_slice::<Switch>(&said).ok(), Some(switch));
    }
    if let Ok(drain) = serde_json::from_slice::<Drain>(bytes) {
        let said = serde_json::to_vec(&drain).expect("what was read can be said");
        assert_eq!(serde_json::from_slice::<Drain>(&said).ok(), Some(drain));
    }
});
