//! Scripts that are run once: before anything is done, and after everything is.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use mainstay_engine::{Node, TimedCommand};

use super::program;
use crate::Error;

/// Runs a command to its end or its limit; what there is to say about that.
pub(crate) async fn run(what: &str, timed: &TimedCommand, node: &Node) -> Option<String> {
    let prepared = match program::prepare(&timed.command, node) {
        Ok(prepared) => prepared,
        Err(unfit) => return Some(format!("{what} script: {unfit}")),
    };
    let words = prepared.program.words();
    match prepared.program.run_within(timed.timeout).await {
        Ok(Some(status)) if status.success() => None,
        Ok(Some(status)) => Some(format!("{what} script {words}: {status}")),
        Ok(None) => Some(format!("{what} script {words} was ended after {:?}", timed.timeout)),
        Err(error) => Some(format!("cannot run {what} script {words}: {error}")),
    }
}

/// Runs a command while the calling thread gives signs of life.
pub(crate) fn run_alive(
    what: &'static str,
    timed: &TimedCommand,
    node: &Node,
    mut sign_of_life: impl FnMut(),
) -> Result<Option<String>, Error> {
    let (timed, node) = (timed.clone(), node.clone());
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let running = std::thread::spawn(move || -> Result<Option<String>, Error> {
        let _ended = ended;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::refused("start", "the runtime"))?;
        Ok(runtime.block_on(run(what, &timed, &node)))
    });
    while end.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        sign_of_life();
    }
    running.join().unwrap_or(Ok(None))
}

/// From one sign of life to the next.
const STEP: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_engine::vrrp::Command;

    fn timed(text: &str, timeout: Duration) -> TimedCommand {
        let words = ["/bin/sh", "-c", text].map(ToOwned::to_owned).to_vec();
        TimedCommand { command: Command { words, user: None, group: None }, timeout }
    }

    #[test]
    fn a_script_that_hangs_is_ended_while_signs_of_life_go_on() {
        let hanging = timed("sleep 600", Duration::from_millis(200));
        let mut signs = 0;
        let said = run_alive("startup", &hanging, &Node::default(), || signs += 1);
        let said = said.expect("it runs").expect("something is said");
        assert!(said.contains("was ended"), "{said}");
        assert!(signs > 5, "{signs}");
    }

    #[test]
    fn a_script_that_ends_well_says_nothing_and_another_one_why() {
        let run = |text: &str| {
            let timed = timed(text, Duration::from_secs(20));
            run_alive("shutdown", &timed, &Node::default(), || {}).expect("it runs")
        };
        assert_eq!(run("exit 0"), None);
        assert!(run("exit 3").is_some_and(|said| said.contains("exit status: 3")));
    }
}
