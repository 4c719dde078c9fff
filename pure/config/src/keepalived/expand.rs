//! `$`-definitions and `~`-repetitions.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::line::{At, BLANK, Line};
use crate::{Code, Fault, Span, Surroundings};

/// The deepest nesting of definitions within definitions.
const DEPTH_MAX: usize = 32;
/// The longest line that may come of expansion; longer ones are a mistake or an attack.
const EXPANDED_MAX: usize = 64 << 10;

/// What it costs to use a definition, beside the bytes that it makes.
const USE_WORK: usize = 16;
/// So much may be done for one line: names that stand for nothing can be used very often.
const LINE_WORK_MAX: usize = 1 << 20;

/// What `$NAME=` says: one line, or several to be used alone.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub lines: Rc<[Line]>,
}

/// All definitions in force, and what the built-in ones draw from.
#[derive(Debug)]
pub(super) struct Definitions<'a> {
    named: BTreeMap<String, Definition>,
    surroundings: &'a Surroundings,
    random: u64,
    /// What was done since it was last asked: bytes made, and a price for each use.
    work: usize,
    /// The directory of the file being read.
    pub directory: String,
    /// The configuration id: `-i`, or `instance` of the file.
    pub id: String,
}

/// What a reference stands for.
enum Value {
    Defined(Definition),
    Made(String),
}

/// A reference to a definition: the bytes it takes and what it names.
struct Reference<'t> {
    end: usize,
    body: &'t str,
}

impl<'a> Definitions<'a> {
    pub(super) fn new(surroundings: &'a Surroundings) -> Definitions<'a> {
        let short = surroundings.host_name.split('.').next().unwrap_or("");
        let id = surroundings.configuration_id.clone().unwrap_or_else(|| short.to_owned());
        Definitions {
            named: BTreeMap::new(),
            surroundings,
            random: surroundings.seed,
            work: 0,
            directory: String::new(),
            id,
        }
    }

    pub(super) fn define(&mut self, name: &str, lines: Vec<Line>) {
        self.named.insert(name.to_owned(), Definition { lines: lines.into() });
    }

    /// The several lines that a line stands for if it is nothing but a reference to them.
    pub(super) fn block(&self, line: &Line) -> Option<Definition> {
        let reference = reference(line.text(), 0)?;
        let found = self.named.get(reference.body)?;
        (reference.end == line.text().len() && found.lines.len() > 1).then(|| found.clone())
    }

    /// Replaces all references of a line.
    pub(super) fn expand(&mut self, line: Line) -> Result<Line, Fault> {
        if line.text().contains('$') { self.expand_within(&line, 0) } else { Ok(line) }
    }

    /// What was done since the last call.
    pub(super) fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.work)
    }

    fn expand_within(&mut self, line: &Line, depth: usize) -> Result<Line, Fault> {
        let text = line.text();
        let mut out = Line::empty();
        let mut done = 0;
        while let Some(dollar) = text[done..].find('$').map(|n| done + n) {
            let found = reference(text, dollar).and_then(|r| Some((r.end, self.value(r.body)?)));
            let Some((end, value)) = found else {
                out.append(line, done..dollar + 1);
                done = dollar + 1;
                continue;
            };
            out.append(line, done..dollar);
            let used = line.at(dollar..end);
            let before = out.text().len();
            self.put(&mut out, value, used, depth)?;
            self.work += USE_WORK + out.text().len() - before;
            if out.text().len() > EXPANDED_MAX || self.work > LINE_WORK_MAX {
                return Err(too_long(used));
            }
            done = end;
        }
        out.append(line, done..text.len());
        Ok(out)
    }

    fn put(&mut self, out: &mut Line, value: Value, used: At, depth: usize) -> Result<(), Fault> {
        match value {
            Value::Made(text) => out.append_made(&text, used.span),
            Value::Defined(definition) => {
                if depth == DEPTH_MAX {
                    let message = "a definition needs itself, or is nested too deeply";
                    return Err(Fault::error(Code::DefinitionLoop, message)
                        .at(used.span)
                        .help("look for definitions that use each other"));
                }
                for value in &*definition.lines {
                    let value = self.expand_within(value, depth + 1)?;
                    out.append_expanded(&value, 0..value.text().len(), used.span);
                    if out.text().len() > EXPANDED_MAX {
                        return Err(too_long(used));
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, body: &str) -> Option<Value> {
        if let Some(definition) = self.named.get(body) {
            return Some(Value::Defined(definition.clone()));
        }
        let mut words = body.split(BLANK).filter(|word| !word.is_empty());
        let made = match words.next()? {
            "_PWD" => self.directory.clone(),
            "_INSTANCE" => self.id.clone(),
            "_HASH" => "#".to_owned(),
            "_BANG" => "!".to_owned(),
            "_ENV" => self.surroundings.environment.get(words.next()?).cloned().unwrap_or_default(),
            "_RANDOM" => {
                let min = words.next().map_or(Some(0), |word| word.parse().ok())?;
                let max = words.next().map_or(Some(32_767), |word| word.parse().ok())?;
                self.draw(min, max)?.to_string()
            }
            _ => return None,
        };
        Some(Value::Made(made))
    }

    /// A number from `min` to `max`. The generator is splitmix64.
    fn draw(&mut self, min: u32, max: u32) -> Option<u64> {
        let span = u64::from(max.checked_sub(min)?) + 1;
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        Some(u64::from(min) + mixed % span)
    }
}

fn too_long(used: At) -> Fault {
    let message = format!("definitions make more than {EXPANDED_MAX} bytes of this line");
    Fault::error(Code::TooMuchText, message).at(used.span).help("make the definitions smaller")
}

/// The reference that begins with the `$` at a position: `${…}`, or `$NAME` followed by a blank, `,`, `)`
/// or the end.
fn reference(text: &str, dollar: usize) -> Option<Reference<'_>> {
    let rest = text[dollar..].strip_prefix('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let body = &braced[..braced.find('}')?];
        return Some(Reference { end: dollar + 3 + body.len(), body });
    }
    let length = name_length(rest);
    let follows = rest[length..].chars().next();
    let ends = follows.is_none_or(|c| BLANK.contains(&c) || c == ',' || c == ')');
    (length > 0 && ends).then(|| Reference { end: dollar + 1 + length, body: &rest[..length] })
}

/// So many bytes at the start are a name: a letter or underscore, then letters, digits, underscores.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// `$NAME=…` at the start of a line: the name, and where the value begins.
pub(super) fn definition(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    let length = name_length(rest);
    (length > 0 && rest[length..].starts_with('=')).then(|| (&rest[..length], length + 2))
}

/// A `~`-repetition: the names, and the rounds with a value for each name.
#[derive(Debug)]
pub(super) struct Repetition {
    pub names: Vec<String>,
    pub rounds: Rounds,
}

/// The values of the rounds; numbers are counted as they are needed.
#[derive(Debug)]
pub(super) enum Rounds {
    Numbers { next: i64, step: i64, end: i64, hexadecimal: bool },
    List(std::vec::IntoIter<Vec<String>>),
}

impl Iterator for Rounds {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        match self {
            Rounds::List(list) => list.next(),
            Rounds::Numbers { next, step, end, hexadecimal } => {
                let value = *next;
                if (*step > 0 && value > *end) || (*step < 0 && value < *end) {
                    return None;
                }
                *next = value.saturating_add(*step);
                if *next == value {
                    *next = i64::MAX;
                    *end = i64::MIN;
                }
                Some(vec![if *hexadecimal { format!("{value:x}") } else { value.to_string() }])
            }
        }
    }
}

/// Reads a line that begins with `~`; `None` if it is no repetition at all.
pub(super) fn repetition(text: &str) -> Option<Result<Repetition, &'static str>> {
    let (kind, rest) = ["~SEQx(", "~SEQ(", "~LST("]
        .into_iter()
        .find_map(|kind| Some((kind, text.strip_prefix(kind)?)))?;
    let Some(close) = rest.find(')') else { return Some(Err("the `)` is missing")) };
    let arguments = &rest[..close];
    let parts =
        if kind == "~LST(" { list(arguments) } else { numbers(arguments, kind == "~SEQx(") };
    Some(parts.map(|(names, rounds)| Repetition { names, rounds }))
}

type Parts = (Vec<String>, Rounds);

fn numbers(arguments: &str, hexadecimal: bool) -> Result<Parts, &'static str> {
    let mut parts = arguments.split(',').map(str::trim);
    let name = parts.next().unwrap_or("");
    if name.is_empty() || name_length(name) != name.len() {
        return Err("the first argument is the name of the variable");
    }
    let numbers = parts.map(number).collect::<Option<Vec<_>>>();
    let numbers = numbers.ok_or("start, step and end are whole numbers")?;
    let (next, step, end) = match numbers[..] {
        [end] => (1, if end < 1 { -1 } else { 1 }, end),
        [start, end] => (start, if end < start { -1 } else { 1 }, end),
        [start, step, end] => (start, step, end),
        _ => {
            return Err("the arguments are (variable, start, end) or (variable, start, step, end)");
        }
    };
    if step == 0 || (end < next) != (step < 0) && end != next {
        return Err("the step does not lead to the end");
    }
    let (next, step, end) = (i64::from(next), i64::from(step), i64::from(end));
    Ok((vec![name.to_owned()], Rounds::Numbers { next, step, end, hexadecimal }))
}

/// A number as C writes it: with `0x` in hexadecimal, with `0` in octal.
fn number(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let unsigned = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    unsigned.then(|| i32::from_str_radix(&format!("{sign}{digits}"), radix).ok())?
}

fn list(arguments: &str) -> Result<Parts, &'static str> {
    let mut parts = top_level(arguments).into_iter();
    let names = tuple(parts.next().unwrap_or(""));
    if names.iter().any(|name| name.is_empty() || name_length(name) != name.len()) {
        return Err("the first argument is the name of the variable, or `{name, name}`");
    }
    let rounds: Vec<Vec<String>> = parts
        .map(|part| if names.len() > 1 { tuple(part) } else { vec![bare(part).to_owned()] })
        .collect();
    if rounds.is_empty() {
        return Err("the values are missing");
    }
    if rounds.iter().any(|values| values.len() != names.len()) {
        return Err("each `{…}` has as many values as there are variables");
    }
    Ok((names, Rounds::List(rounds.into_iter())))
}

fn tuple(text: &str) -> Vec<String> {
    bare(text).split(',').map(|value| value.trim().to_owned()).collect()
}

/// What stands between braces, if there are some around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text).trim()
}

/// Splits at commas that are outside of braces.
fn top_level(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (position, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Where a made line stands: at the repetition that makes it.
pub(super) fn value_line(value: &str, used: Span) -> Line {
    let mut line = Line::empty();
    line.append_made(value, used);
    line
}
