//! Whether the program on the disk runs at all, tried before it takes over.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use mainstay_linux::process;
use tokio::process::Command;

/// It only has to say its version.
const WITHIN: Duration = Duration::from_secs(5);

/// Runs the program on the disk for a moment; what is wrong with it, in a sentence.
pub(crate) async fn rehearse() -> Result<(), String> {
    let path = process::own_path().map_err(|error| format!("where am I: {error}"))?;
    rehearse_program(&path).await
}

async fn rehearse_program(path: &Path) -> Result<(), String> {
    let mut command = Command::new(path);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let shown = path.display();
    let output = tokio::time::timeout(WITHIN, command.output()).await;
    let output = output.map_err(|_| format!("{shown} does not answer; is it mainstay?"))?;
    let output = output.map_err(|error| format!("{shown} cannot be run: {error}"))?;
    if is_mainstay(&output) {
        Ok(())
    } else {
        Err(format!("{shown} is no mainstay that runs here"))
    }
}

fn is_mainstay(output: &Output) -> bool {
    output.status.success() && output.stdout.starts_with(b"mainstay ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_mainstay_passes() {
        for path in ["/nowhere/mainstay", "/bin/true", "/bin/false", "/etc/passwd"] {
            let refused = rehearse_program(Path::new(path)).await;
            assert!(refused.is_err_and(|why| why.contains(path)), "{path}");
        }
    }
}
