//! Long, hostile and odd texts: a clear fault, quickly, without a panic.

use std::time::{Duration, Instant};

use mainstay_config::{
    Code, FILE_SIZE_MAX, Found, Loaded, Severity, Sources, Unreadable, keepalived, native, render,
    reports,
};

use crate::round_trip::same_after_writing;
use crate::support::{Files, load, surroundings};

const SAMPLES: [&str; 4] = [
    include_str!("../data/everything.conf"),
    include_str!("../data/hot-standby-one.conf"),
    include_str!("../data/gre.conf"),
    "$A=\\\n x \\\n ${B}\n$B=${A}\n~SEQ(N, 1, 3) a ${N}\n~LST({A,B}, {1,2}) ${A}\n@node1 x {\n}\n\
     include a*{b,c}\ninclude k.conf\n$A\nvrrp_script s { script \"\\x41 \\\" '\" }\n${_RANDOM 1 2}",
];

fn has(loaded: &Loaded, code: Code) -> bool {
    loaded.faults.iter().any(|fault| fault.code == code)
}

/// 10 000 lines of virtual routers, each of ten lines.
fn long_text() -> String {
    let mut text = String::new();
    for n in 0..1000 {
        let (link, vrid) = (n / 200, n % 200 + 1);
        text += &format!(
            "vrrp_instance VI_{n} {{\n    state BACKUP\n    interface eth{link}\n    \
             virtual_router_id {vrid}\n    priority 150 # a comment\n    advert_int 1\n    \
             virtual_ipaddress {{\n        10.{link}.{vrid}.1/24 dev eth{link}\n    }}\n}}\n"
        );
    }
    text
}

#[test]
fn ten_thousand_lines_are_read_whole_and_quickly() {
    let text = long_text();
    assert_eq!(text.lines().count(), 10_000);
    let mut loaded = load(&text);
    // The best of several, since other tests run at the same time.
    let runs = (0..5).map(|_| {
        let start = Instant::now();
        loaded = load(&text);
        start.elapsed()
    });
    let took = runs.min().expect("there were runs");
    println!("10 000 lines of keepalived.conf: {took:?}");
    let settings = loaded.settings.expect("the text is sound");
    assert_eq!(settings.vrrp.routers.len(), 1000);
    // The bar is 50 ms in a release build; an unoptimised one on a busy machine gets ten times that.
    let bar =
        if cfg!(debug_assertions) { Duration::from_millis(500) } else { Duration::from_millis(50) };
    assert!(took < bar, "{took:?}");
    let text = native::write(&settings);
    let start = Instant::now();
    let loaded = native::load("m.toml", &mut Files::default().with("m.toml", &text));
    println!("{} lines of TOML: {:?}", text.lines().count(), start.elapsed());
    assert_eq!(loaded.settings.as_ref(), Some(&settings));
}

#[test]
fn a_file_that_is_too_long_is_refused_as_a_whole() {
    let loaded = load(vec![b'\n'; FILE_SIZE_MAX + 1]);
    assert!(loaded.settings.is_none() && has(&loaded, Code::FileTooBig));
    let at_the_limit = load(vec![b'#'; FILE_SIZE_MAX]);
    assert!(!has(&at_the_limit, Code::FileTooBig), "one less is read");
}

#[test]
fn binary_files_are_refused() {
    let loaded = load(b"\x7fELF\x02\x01\x01\0\0\0");
    assert!(loaded.settings.is_none() && has(&loaded, Code::FileBinary));
    let native = native::load("b", &mut Files::default().with("b", b"a\0b"));
    assert!(native.settings.is_none() && has(&native, Code::FileBinary));
}

#[test]
fn garbage_gives_no_more_faults_than_can_be_kept() {
    let loaded = load("bogus\n".repeat(50_000));
    assert_eq!(loaded.faults.len(), 1001);
    assert_eq!(loaded.faults[1000].code, Code::TooManyFaults);
    let shown = render(&loaded.faults, &loaded.sources, true);
    assert!(shown.contains("49000 more faults"), "the rest is counted");
}

#[test]
fn many_faults_far_down_are_shown_quickly() {
    let text = "# a comment\n".repeat(1 << 20) + &"bogus\n".repeat(1000);
    let start = Instant::now();
    let loaded = load(text);
    let last = loaded.sources.place(loaded.faults[999].labels[0].span);
    assert_eq!((last.line, last.column), ((1 << 20) + 1000, 1));
    let shown = reports(&loaded.faults, &loaded.sources);
    assert_eq!(shown[0].line, Some((1 << 20) + 1));
    let took = start.elapsed();
    // Counting each line from the first one takes a debug build several minutes.
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn many_warnings_are_no_error_and_hide_none() {
    let warned = "vrrp_instnce x\n".repeat(1100);
    let router = "vrrp_instance a {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n";
    let loaded = load(format!("{warned}{router}"));
    assert!(!loaded.has_errors() && has(&loaded, Code::TooManyFaults));
    let loaded = load(format!("{warned}{router}}}\n"));
    assert!(loaded.has_errors() && has(&loaded, Code::BraceStray));
}

#[test]
fn too_many_lines_give_no_settings() {
    for text in ["x\n".repeat(200_001), "~SEQ(N, 1, 2000000000) ~SEQ(M, 1, 2000000000) x\n".into()]
    {
        let loaded = load(text);
        assert!(loaded.settings.is_none());
        assert!(has(&loaded, Code::TooMuchText));
    }
}

#[test]
fn expansion_is_bounded() {
    let doubling: String =
        (1..30).map(|n| format!("$A{n}=${{A{m}}}${{A{m}}}\n", m = n - 1)).collect();
    let loaded = load(format!("$A0=xxxxxxxxxx\n{doubling}${{A29}}\n"));
    assert!(has(&loaded, Code::TooMuchText));
    assert!(has(&load("$A=${B}\n$B=${A}\nx ${A}\n"), Code::DefinitionLoop));
    assert!(has(&load("$A=\\\nx\\\n$A\n$A\n"), Code::DefinitionLoop));
}

/// A debug build on a busy machine takes some ten seconds for one of them.
const ENDLESS: Duration = Duration::from_secs(120);

/// Texts of a few lines that would keep a careless reader busy for years, or fill the memory.
#[test]
fn small_texts_cannot_ask_for_endless_work() {
    let names_for_nothing: String =
        (1..40).map(|n| format!("$A{n}=${{A{m}}}${{A{m}}}\n", m = n - 1)).collect();
    let long = "x".repeat(1000);
    let wide = format!("$A={long}\n$B={}\n~SEQ(N, 1, 100000) y ${{B}}\n", "${A}".repeat(60));
    for (text, refused) in [
        ("~SEQ(N, 1, 2000000000)\n".to_owned(), false),
        ("$E=\n~SEQ(N, 1, 2000000000) $E\n".to_owned(), true),
        ("~SEQ(N, 1, 2000000000) $A=x\\\n".to_owned(), true),
        ("~SEQ(N, 1, 2000000000) ~SEQ(M, 1, 2) @never x\n".to_owned(), true),
        (format!("$A0=\n{names_for_nothing}x ${{A39}}\n"), false),
        (wide, true),
        ("~SEQ(N, 1, 100000) include {a,b,c}{d,e,f}{g,h,i}{j,k,l}*\n".to_owned(), true),
        (format!("~SEQ(N, 1, 190000) {}\n", "bogu_ ".repeat(20)), false),
    ] {
        let start = Instant::now();
        let loaded = load(&text);
        let took = start.elapsed();
        println!("{took:?} for {:.60}", text.escape_debug().to_string());
        assert!(took < ENDLESS, "{took:?} for {}", &text[..text.len().min(80)]);
        assert_eq!(loaded.settings.is_none(), refused, "{}", &text[..text.len().min(80)]);
        assert!(!loaded.faults.is_empty() && loaded.faults.len() <= 1001);
    }
}

#[test]
fn long_lines_and_far_places_are_not_shown_whole() {
    let text = format!("version = 1 # {}\nx = 1\n", "y".repeat(1_000_000));
    let loaded =
        native::load("m.toml", &mut Files::default().with("m.toml", text + &"z = \n".repeat(300)));
    assert!(render(&loaded.faults, &loaded.sources, false).len() < 100_000);
    let far = format!(
        "vrrp_script s {{ script /a }}\n{}vrrp_script s {{ script /b }}\n",
        "\n".repeat(9000)
    );
    let loaded = load(far);
    let shown = render(&loaded.faults, &loaded.sources, false);
    assert!(shown.contains("k.conf:9002:13") && shown.contains("k.conf:1:13"), "{shown}");
    assert!(shown.len() < 1000, "{shown}");
}

#[test]
fn deep_blocks_are_left_out_and_what_follows_is_read() {
    let text = format!("{}{}router_id x\n", "a {\n".repeat(5000), "}\n".repeat(5000));
    let loaded = load(text);
    assert!(has(&loaded, Code::TooDeep));
    let last = loaded.faults.last().expect("there are faults");
    assert_eq!(last.help.as_deref(), Some("it belongs in `global_defs`"));
}

#[test]
fn includes_that_need_themselves_end() {
    let mut files = Files::default()
        .with("/e/k.conf", "include a.conf\nvrrp_version 3\n")
        .with("/e/a.conf", "include sub/b.conf\n")
        .with("/e/sub/b.conf", "include /e/a.conf\n");
    let loaded = keepalived::load("/e/k.conf", &mut files, &surroundings());
    assert!(has(&loaded, Code::IncludeLoop));
    assert_eq!(
        loaded.sources.paths().collect::<Vec<_>>(),
        ["/e/k.conf", "/e/a.conf", "/e/sub/b.conf"]
    );
}

/// Every name leads to a file that includes the next name.
struct Endless(u32);

impl Sources for Endless {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        vec![pattern.to_owned()]
    }

    fn read(&mut self, _: &str) -> Found {
        self.0 += 1;
        let content = Ok(format!("include file{}\n", self.0).into_bytes());
        Found { content, executable: false }
    }
}

#[test]
fn includes_without_end_end() {
    let mut endless = Endless(0);
    let loaded = keepalived::load("start", &mut endless, &surroundings());
    assert!(has(&loaded, Code::IncludeLoop));
    assert!(endless.0 < 100, "{} files were asked for", endless.0);
}

/// A folder of many long files, which counts those that are read.
struct Many(usize);

impl Sources for Many {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        let many = (0..10_000).map(|n| format!("log/{n:05}"));
        if pattern == "start" { vec!["start".to_owned()] } else { many.collect() }
    }

    fn read(&mut self, path: &str) -> Found {
        let content = if path == "start" {
            b"include log/*\nglobal_defs {\nrouter_id a\n}\n".to_vec()
        } else {
            self.0 += 1;
            vec![b'#'; FILE_SIZE_MAX / 2]
        };
        Found { content: Ok(content), executable: false }
    }
}

#[test]
fn a_folder_of_long_files_is_read_up_to_the_limit_only() {
    let mut many = Many(0);
    let loaded = keepalived::load("start", &mut many, &surroundings());
    assert!(loaded.settings.is_none() && has(&loaded, Code::TooMuchText));
    assert_eq!(loaded.faults.len(), 1, "one sentence says it");
    assert!(many.0 <= 9, "{} files were read", many.0);
}

/// A folder, an unreadable file, a long file.
struct Odd;

impl Sources for Odd {
    fn find(&mut self, pattern: &str) -> Vec<String> {
        vec![pattern.to_owned()]
    }

    fn read(&mut self, path: &str) -> Found {
        let why = match path {
            "folder" => Unreadable::NotRegular,
            "written" => Unreadable::Changing,
            "secret" => Unreadable::Refused("permission denied".to_owned()),
            _ => Unreadable::TooBig,
        };
        Found { content: Err(why), executable: false }
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    for (path, code, part) in [
        ("folder", Code::FileUnreadable, "not a regular file"),
        ("secret", Code::FileUnreadable, "permission denied"),
        ("long", Code::FileTooBig, "longer than"),
        ("written", Code::FileChanging, "is being changed"),
    ] {
        for loaded in
            [keepalived::load(path, &mut Odd, &surroundings()), native::load(path, &mut Odd)]
        {
            assert!(loaded.settings.is_none());
            assert_eq!(loaded.faults[0].code, code);
            assert!(loaded.faults[0].message.contains(part), "{}", loaded.faults[0].message);
        }
    }
    let executable =
        keepalived::load("k.x", &mut Files::default().with("k.x", ""), &surroundings());
    assert!(executable.settings.is_none() && has(&executable, Code::FileExecutable));
}

/// A generator of numbers from a seed: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("it is below a usize")
    }
}

/// Cuts, doubles, swaps and puts odd bytes into a text.
fn mutated(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const ODD: [&[u8]; 12] =
        [b"{", b"}", b"\"", b"'", b"$", b"~SEQ(", b"\\", b"\n", b"\0", b"\xff\xfe", b"!", b"${A}"];
    let mut out = text.to_vec();
    for _ in 0..=numbers.below(6) {
        let (a, b) = (numbers.below(out.len()), numbers.below(out.len()));
        let (from, to) = (a.min(b), a.max(b));
        match numbers.below(5) {
            0 => drop(out.drain(from..to.min(from + 40))),
            1 => {
                let piece = out[from..to.min(from + 200)].to_vec();
                out.splice(a..a, piece);
            }
            2 => {
                let odd = ODD[numbers.below(ODD.len())];
                out.splice(a..a, odd.iter().copied());
            }
            3 if !out.is_empty() => out[a] = u8::try_from(numbers.below(256)).expect("a byte"),
            _ => out.truncate(to.max(out.len() / 2)),
        }
    }
    out
}

#[test]
fn no_text_makes_it_panic_and_what_is_accepted_reads_back() {
    let mut numbers = Numbers(0x5eed);
    let rounds = 2000;
    let mut accepted = 0;
    for round in 0..rounds {
        let text = mutated(SAMPLES[round % SAMPLES.len()].as_bytes(), &mut numbers);
        let loaded = load(&text);
        assert!(!render(&loaded.faults, &loaded.sources, false).is_empty());
        assert_eq!(reports(&loaded.faults, &loaded.sources).len(), loaded.faults.len());
        for fault in &loaded.faults {
            assert!(fault.help.is_some(), "no remedy: {}", fault.message);
        }
        if let Some(settings) = loaded.settings {
            same_after_writing(&settings);
            let toml = mutated(native::write(&settings).as_bytes(), &mut numbers);
            let read = native::load("m.toml", &mut Files::default().with("m.toml", &toml));
            assert!(!render(&read.faults, &read.sources, false).is_empty());
            let refused = read.faults.iter().any(|fault| fault.severity == Severity::Error);
            assert_eq!(refused, read.settings.is_none());
            accepted += 1;
        }
    }
    assert!(accepted > rounds / 2, "only {accepted} of {rounds} were accepted");
}
