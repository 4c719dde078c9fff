//! A real nginx in a host's namespace: its own file, its own folder, ended when dropped.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::cluster::{Cluster, Host};
use crate::leash::Leash;
use crate::wait;
use crate::web;

/// Where Debian has it.
const PROGRAM: &str = "/usr/sbin/nginx";

const READY_WITHIN: Duration = Duration::from_secs(10);

/// A running nginx that serves one page: the name of its host.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    _leash: Leash,
}

impl Nginx {
    /// Starts it inside a host and waits until it answers there.
    ///
    /// # Errors
    /// It is not installed, or does not answer; the sentence says what to do, or what it said.
    pub fn start(cluster: &Cluster, place: usize) -> io::Result<Nginx> {
        if !Path::new(PROGRAM).exists() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "nginx is not installed: run `cargo xtask test`, which installs it, or \
                 `sudo apt-get install nginx-light`",
            ));
        }
        let host = cluster.host(place);
        let folder = cluster.directory().inside(&format!("{}-nginx", host.name()))?;
        let mut command = command(&folder, host.name())?;
        let child = host.namespace().run(|| command.spawn())??;
        let leash = Leash::on(child.id(), cluster.directory().path())?;
        let nginx = Nginx { child, _leash: leash };
        nginx.until_ready(host, &folder)?;
        Ok(nginx)
    }

    fn until_ready(&self, host: &Host, folder: &Path) -> io::Result<()> {
        let here = ([127, 0, 0, 1], web::PORT).into();
        let answers = || matches!(host.namespace().run(|| web::fetch(here)), Ok(Ok(_)));
        wait::until("an answer of nginx", READY_WITHIN, answers).map_err(|error| {
            let said = fs::read_to_string(log(folder)).unwrap_or_default();
            io::Error::other(format!("{error}: {said}"))
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It is one process without a master; it fails only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("error.log")
}

fn command(folder: &Path, page: &str) -> io::Result<Command> {
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration(folder, page))?;
    let mut command = Command::new(PROGRAM);
    command.arg("-e").arg(log(folder)).arg("-p").arg(folder).arg("-c").arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    Ok(command)
}

/// Without a master nobody has to become another user, which a user namespace does not permit.
fn configuration(folder: &Path, page: &str) -> String {
    let short_lived = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = short_lived.map(|kind| format!(" {kind}_temp_path {kind};\n")).concat();
    let (folder, port) = (folder.display(), web::PORT);
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n\
         error_log {folder}/error.log;\nevents {{\n}}\nhttp {{\n access_log {folder}/access.log;\n\
         {paths} server {{\n  listen {port};\n  return 200 \"{page}\\n\";\n }}\n}}\n"
    )
}
