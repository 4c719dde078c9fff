fn main() -> std::process::ExitCode {
    let a: Vec<String> = std::env::args().collect();
    let has = |s: &str| a.iter().any(|x| x == s);
    mainstay_lab::demo::run(&mainstay_lab::demo::Options {
        fast: has("--fast"),
        json: has("--json"),
        output: None,
        alone: has("--alone"),
    })
}
