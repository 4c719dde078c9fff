//! Whole commands, as a shell runs them: what they print, and the code that they end with.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the directory for temporary files is writable");
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("the directory is ours");
        path.to_str().expect("a name in ASCII").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn mainstay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mainstay"))
        .args(arguments)
        .env_remove("MAINSTAY_RUNTIME_DIR")
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

const GOOD: &str = "\
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    virtual_ipaddress {
        192.0.2.100/24
    }
}
";

#[test]
fn check_names_programs_that_cannot_run_or_that_others_can_write() {
    let folder = Folder::new("programs");
    let notify = "priority 100\n    notify_fault /no/such/program root";
    let file = folder.file("good.conf", &GOOD.replace("priority 100", notify));
    let output = mainstay(&["check", "--keepalived", &file]);
    assert_eq!(code(&output), 0, "a daemon takes it: {}", told(&output));
    let remark = "notify script of VI_1: `/no/such/program` is not there";
    assert!(told(&output).contains(remark), "{}", told(&output));
    let output = mainstay(&["check", "--keepalived", &file, "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&told(&output)).expect("JSON");
    let said = answer["programs"][0].as_str().expect("a remark");
    assert!(answer["good"] == true && said.starts_with(remark), "{answer}");
}

#[test]
fn help_names_every_verb_and_the_exit_codes() {
    let output = mainstay(&["--help"]);
    assert_eq!(code(&output), 0);
    let help = told(&output);
    let verbs =
        ["run", "check", "status", "plan", "reload", "stop", "import", "demo", "completions"];
    for verb in verbs {
        assert!(help.contains(&format!("  {verb} ")), "{verb} in\n{help}");
        assert_eq!(code(&mainstay(&[verb, "--help"])), 0, "{verb}");
    }
    assert!(help.contains("Exit codes: 0 good"), "{help}");
    assert!(!help.contains("control"), "the inner process is nobody's command:\n{help}");
}

#[test]
fn wrong_usage_is_2() {
    assert_eq!(code(&mainstay(&[])), 2);
    assert_eq!(code(&mainstay(&["dance"])), 2);
    let both = mainstay(&["check", "--keepalived", "a", "--config", "b"]);
    assert_eq!(code(&both), 2);
    assert!(said(&both).contains("cannot be used with"), "{}", said(&both));
}

#[test]
fn a_good_file_is_0_and_a_bad_one_is_1_with_every_fault() {
    let folder = Folder::new("check");
    let good = folder.file("good.conf", GOOD);
    let output = mainstay(&["check", "--keepalived", &good]);
    assert_eq!(code(&output), 0, "{}{}", told(&output), said(&output));

    let bad = folder.file(
        "bad.conf",
        "vrrp_instance A {\n  interface eth0\n  virtual_router_id 300\n  priority 999\n}\n",
    );
    let output = mainstay(&["check", "--keepalived", &bad]);
    assert_eq!(code(&output), 1);
    let text = told(&output);
    assert!(text.contains("bad.conf:3:") && text.contains("bad.conf:4:"), "{text}");
    assert!(text.contains("help"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour into a pipe");

    let output = mainstay(&["check", "--json", "--keepalived", &bad]);
    assert_eq!(code(&output), 1);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["good"], false);
    let lines: Vec<_> = answer["faults"].as_array().expect("a list").iter().collect();
    assert!(lines.iter().any(|fault| fault["line"] == 3), "{answer}");
    assert!(lines.iter().any(|fault| fault["line"] == 4), "{answer}");
}

#[test]
fn files_that_are_no_files_are_faults() {
    let folder = Folder::new("unreadable");
    let directory = folder.0.to_str().expect("a name in ASCII");
    let missing = format!("{directory}/missing.conf");
    for path in [missing.as_str(), directory, "/dev/zero"] {
        let output = mainstay(&["check", "--keepalived", path]);
        assert_eq!(code(&output), 1, "{path}: {}", told(&output));
        let output = mainstay(&["check", "--config", path]);
        assert_eq!(code(&output), 1, "{path}: {}", told(&output));
    }
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_in_one_sentence() {
    let folder = Folder::new("sparse");
    let huge = folder.0.join("huge.conf");
    let file = std::fs::File::create(&huge).expect("the directory is writable");
    file.set_len(100 << 20).expect("a file may have holes");
    let many = folder.file("many.conf", "include huge.conf\ninclude *.conf\n");
    let begun = std::time::Instant::now();
    for (path, expected) in [(huge.to_str().expect("a name in ASCII"), 1), (&many, 2)] {
        let output = mainstay(&["check", "--json", "--keepalived", path]);
        assert_eq!(code(&output), 1, "{}", told(&output));
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let faults = answer["faults"].as_array().expect("a list");
        let too_big = faults.iter().filter(|fault| fault["code"] == "file/too-big").count();
        assert_eq!(too_big, expected, "{answer}");
    }
    // Much more than it takes on a busy machine, and much less than reading it all would.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn an_imported_file_is_a_good_one() {
    let folder = Folder::new("import");
    let file = folder.file("keepalived.conf", GOOD);
    let output = mainstay(&["import", "keepalived", &file]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(told(&output).contains("192.0.2.100/24"), "{}", told(&output));
    let native = folder.file("mainstay.toml", &told(&output));
    let output = mainstay(&["check", "--config", &native]);
    assert_eq!(code(&output), 0, "{}", told(&output));
}

#[test]
fn without_a_daemon_it_is_3_and_says_what_to_do() {
    let folder = Folder::new("nobody");
    let directory = folder.0.to_str().expect("a name in ASCII");
    for verb in ["status", "plan", "reload", "stop"] {
        let output = mainstay(&["--runtime-dir", directory, verb]);
        assert_eq!(code(&output), 3, "{verb}");
        assert!(said(&output).contains("mainstay run"), "{}", said(&output));
        assert!(told(&output).is_empty());
    }
}

#[test]
fn a_faulty_file_does_not_start() {
    let folder = Folder::new("nostart");
    let directory = folder.0.join("run");
    let directory = directory.to_str().expect("a name in ASCII");
    let output =
        mainstay(&["--runtime-dir", directory, "run", "--keepalived", "/no/such/file.conf"]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("/no/such/file.conf"), "{}", said(&output));
    assert!(!Path::new(directory).join("tether.sock").exists());
}

#[test]
fn completions_are_a_script() {
    for shell in ["bash", "zsh", "fish"] {
        let output = mainstay(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(told(&output).contains("mainstay"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mainstay"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().expect("it is piped");
    pipe.read_to_string(&mut stderr).expect("text");
    let status = child.wait().expect("it ends");
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}
