//! The words of commands: quotes and escapes.

use mainstay_config::{Code, native};

use crate::support::{lines, load};

/// What stands after `notify_master`, with `@` for a program, and the arguments that the program got.
///
/// As seen of keepalived 2.2.7 (Debian's 1:2.2.7-1+b2), which ran each of them with a program that prints its
/// arguments with od. None: it said that the command cannot be parsed, and ran nothing.
const SEEN: &[(&str, Option<&[&str]>)] = &[
    // Quotes of both kinds, one in the other, and pieces that join.
    (r#""@ 'a b' c""#, Some(&["a b", "c"])),
    (r#"'@ "a b" c'"#, Some(&["a b", "c"])),
    (r#"'@ a b'"#, Some(&["a", "b"])),
    (r#""@ \"a b\"""#, Some(&["a b"])),
    (r#""@ a'b c'd""#, Some(&["ab cd"])),
    (r#""@ 'a''b'""#, Some(&["ab"])),
    (r#""@ '' x""#, Some(&["", "x"])),
    (r#""@ a"'b c'"#, Some(&["ab", "c"])),
    (r#""@ -o 'x=\"y z\"'""#, Some(&["-o", "x=\"y z\""])),
    (r#""@ -o x=\"y z\"""#, Some(&["-o", "x=y z"])),
    (r#""@ \'a b\'""#, Some(&["a b"])),
    (r#""@ \\'""#, Some(&["'"])),
    (r#""@ 'a\\'b' c'""#, Some(&["a'b", "c"])),
    ("\"@\ttab\ttwo\"", Some(&["tab", "two"])),
    // Nothing is expanded, and marks of comments need no care inside of quotes.
    (r#""@ $HOME *""#, Some(&["$HOME", "*"])),
    (r#""@ {a}""#, Some(&["{a}"])),
    (r#""@ a#b a!b""#, Some(&["a#b", "a!b"])),
    (r#""@ \#b a\!b""#, Some(&["#b", "a!b"])),
    // Hexadecimal numbers take all digits that there are, octal ones three; the last eight bits count.
    (r#""@ \x41\x4aZ""#, Some(&["AJZ"])),
    (r#""@ 'it\x41'""#, Some(&["itA"])),
    (r#""@ \x4 \x414""#, Some(&["\x04", "\x14"])),
    (r#""@ \x41424344""#, Some(&["D"])),
    (r#""@ \x1234g""#, Some(&["4g"])),
    (r#""@ \x""#, Some(&["x"])),
    (r#""@ \xzz""#, Some(&["xzz"])),
    (r#""@ \x41\x""#, Some(&["Ax"])),
    (r#""@ \xc3\xa4""#, Some(&["ä"])),
    (r#""@ \101\12\7x""#, Some(&["A", "\x07x"])),
    (r#""@ \1012""#, Some(&["A2"])),
    // A NUL ends the command, or, with two backslashes, the word.
    (r#""@ \0z""#, Some(&[])),
    (r#""@ \08""#, Some(&[])),
    (r#""@ \400 \477""#, Some(&[])),
    (r#""@ x\0 y""#, Some(&["x"])),
    (r#""@ 'x\\0' y""#, Some(&["x", "y"])),
    // Control characters, and letters that mean one.
    (r#""@ \cA\cz\c?""#, Some(&["\x01\x1a\x1f"])),
    (r#""@ \cx""#, Some(&["\x18"])),
    (r#""@ \c\\ z""#, Some(&["\x1c", "z"])),
    (r#""@ \a\b\E\f\n\r\t\v""#, Some(&["\x07\x08\x1b"])),
    (r#""@ '\n'""#, Some(&["\n"])),
    (r#""@ \e\q\8""#, Some(&["eq8"])),
    // The text is read twice: what one backslash makes of a blank or a quote counts as such.
    (r#""@ a\ b""#, Some(&["a", "b"])),
    (r#""@ a\\ b""#, Some(&["a b"])),
    (r#""@ \\n""#, Some(&["\n"])),
    (r#""@ 'a\\nb'""#, Some(&["a\nb"])),
    (r#""@ z\\\\""#, Some(&["z\\"])),
    (r#""@ \\x41 \\101 \\cA""#, Some(&["A", "A", "\x01"])),
    (r#""@ \\e \\E \\xg \\x414""#, Some(&["e", "\x1b", "xg", "\x14"])),
    (r#""@ \\\"a b\\\"""#, Some(&["\"a", "b\""])),
    (r#""@ z\\""#, None),
    // A quote that is not closed costs the command, unless the last character is such a quote.
    (r#""@ 'a b""#, None),
    (r#""@ ' b""#, None),
    (r#""@ a'b""#, None),
    (r#""@ 'a b c' 'd e""#, None),
    (r#""@ \"x""#, None),
    (r#""@ a'""#, Some(&["a"])),
    (r#""@ a '""#, Some(&["a", ""])),
    (r#""@ 'don'\''t'""#, Some(&["dont"])),
    (r#""@ '\''""#, Some(&[""])),
    (r#""@ 'a b\\'""#, Some(&["a b'"])),
    (r#""@ x\""#, Some(&["x"])),
    (r#""@ a \""#, Some(&["a", ""])),
    (r#""@ \c""#, Some(&["\x02"])),
    (r#"'@ it"'"#, Some(&["it"])),
];

fn text(command: &str) -> String {
    let command = command.replace('@', "/bin/say");
    format!(
        "vrrp_instance a {{\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {{ 192.0.2.1 }}\n\
         notify_master {command}\n}}\n"
    )
}

#[test]
fn a_program_gets_the_arguments_that_keepalived_would_give_it() {
    let mut differing = Vec::new();
    for (command, expected) in SEEN {
        let loaded = load(text(command));
        let is_refused = loaded.faults.iter().any(|fault| fault.code == Code::ValueBad);
        let settings = loaded.settings.expect("the text is accepted");
        let given = settings.notify_routers.values().find_map(|notify| notify.active.clone());
        let given = given.map(|command| command.words[1..].to_vec());
        let expected = expected.map(|words| words.iter().map(ToString::to_string).collect());
        if given != expected || is_refused != expected.is_none() {
            differing.push(format!("{command}: {given:?}, not {expected:?}"));
        }
        crate::round_trip::same_after_writing(&settings);
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn bytes_that_are_no_text_are_refused_rather_than_replaced() {
    for command in [r#""@ \xff""#, r#""@ \777""#, r#""@ '\\xc3'""#] {
        let loaded = load(text(command));
        assert_eq!(lines(&loaded), ["error 5:15 value/bad"], "{command}");
        let message = &loaded.faults[0].message;
        assert!(message.ends_with("its escapes make no UTF-8"), "{message}");
        let settings = loaded.settings.expect("all else stands");
        assert!(settings.notify_routers.is_empty(), "{}", native::write(&settings));
    }
}
