//! Which processes fit which pattern, as far as has been looked.

use std::collections::BTreeSet;
use std::fs;

use mainstay_engine::{ParameterForm, Parameters, ProcessPattern};

/// The processes that fit each pattern.
#[derive(Debug)]
pub(super) struct Census {
    patterns: Vec<ProcessPattern>,
    fitting: Vec<BTreeSet<u32>>,
}

/// A process's name is cut to so many bytes by the kernel.
const NAME_BYTES: usize = 15;

impl Census {
    /// Nobody has been looked at yet.
    pub(super) fn of(patterns: Vec<ProcessPattern>) -> Census {
        let fitting = vec![BTreeSet::new(); patterns.len()];
        Census { patterns, fitting }
    }

    /// Looks at every process.
    pub(super) fn take(&mut self) {
        self.fitting.iter_mut().for_each(BTreeSet::clear);
        let Ok(entries) = fs::read_dir("/proc") else { return };
        for entry in entries.flatten() {
            if let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                self.look_at(process);
            }
        }
    }

    /// Looks at one process, which may be gone.
    pub(super) fn look_at(&mut self, process: u32) {
        let seen = Seen::of(process, self.patterns.iter().any(wants_command_line));
        for (pattern, fitting) in self.patterns.iter().zip(&mut self.fitting) {
            if seen.as_ref().is_some_and(|seen| fits(pattern, seen)) {
                fitting.insert(process);
            } else {
                fitting.remove(&process);
            }
        }
    }

    /// Looks again at those that fitted.
    pub(super) fn look_at_the_fitting(&mut self) {
        let known: BTreeSet<u32> = self.fitting.iter().flatten().copied().collect();
        known.into_iter().for_each(|process| self.look_at(process));
    }

    /// How many fit each pattern.
    pub(super) fn counts(&self) -> impl Iterator<Item = usize> {
        self.fitting.iter().map(BTreeSet::len)
    }
}

/// What a pattern is compared with.
struct Seen {
    name: Vec<u8>,
    command_line: Vec<Vec<u8>>,
}

impl Seen {
    /// None for a process that is gone or has ended.
    fn of(process: u32, with_command_line: bool) -> Option<Seen> {
        let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
        // The name is in parentheses and may hold any byte, parentheses as well.
        let start = stat.iter().position(|byte| *byte == b'(')? + 1;
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let state = stat.get(end + 2)?;
        if matches!(state, b'Z' | b'X') {
            return None;
        }
        let words = |bytes: Vec<u8>| {
            let text = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
            text.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
        };
        let command_line = if with_command_line {
            fs::read(format!("/proc/{process}/cmdline")).map(words).unwrap_or_default()
        } else {
            Vec::new()
        };
        Some(Seen { name: stat.get(start..end)?.to_vec(), command_line })
    }
}

/// A program with a path, or with parameters, is looked for in command lines.
fn wants_command_line(pattern: &ProcessPattern) -> bool {
    pattern.command_line || pattern.parameters.is_some() || pattern.program.contains('/')
}

fn fits(pattern: &ProcessPattern, seen: &Seen) -> bool {
    let program = pattern.program.as_bytes();
    if !wants_command_line(pattern) {
        return seen.name == program.get(..NAME_BYTES).unwrap_or(program);
    }
    let Some((first, words)) = seen.command_line.split_first() else { return false };
    let named = !pattern.command_line && !pattern.program.contains('/');
    let last = first.rsplit(|byte| *byte == b'/').next().unwrap_or(first);
    if first != program && !(named && last == program) {
        return false;
    }
    pattern.parameters.as_ref().is_none_or(|parameters| parameters_fit(parameters, words))
}

fn parameters_fit(parameters: &Parameters, words: &[Vec<u8>]) -> bool {
    let wanted: Vec<&[u8]> = parameters.words.iter().map(String::as_bytes).collect();
    let same = |(wanted, word): (&&[u8], &Vec<u8>)| *wanted == word.as_slice();
    if wanted.is_empty() {
        return words.is_empty();
    }
    match parameters.form {
        ParameterForm::Exact => wanted.len() == words.len() && wanted.iter().zip(words).all(same),
        ParameterForm::Partial => wanted.len() <= words.len() && wanted.iter().zip(words).all(same),
        ParameterForm::Initial => {
            let Some((last, before)) = wanted.split_last() else { return words.is_empty() };
            let Some(longer) = words.get(before.len()) else { return false };
            before.iter().zip(words).all(same) && longer.starts_with(last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(program: &str, parameters: Option<(&[&str], ParameterForm)>) -> ProcessPattern {
        let parameters = parameters.map(|(words, form)| Parameters {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            form,
        });
        ProcessPattern { program: program.to_owned(), parameters, command_line: false }
    }

    fn seen(name: &str, words: &[&str]) -> Seen {
        let command_line = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        Seen { name: name.as_bytes().to_vec(), command_line }
    }

    #[test]
    fn a_name_is_compared_as_the_kernel_cuts_it() {
        let long = pattern("a-very-long-program", None);
        assert!(fits(&long, &seen("a-very-long-pro", &[])));
        assert!(!fits(&pattern("ssh", None), &seen("sshd", &[])));
        assert!(fits(&pattern("/usr/sbin/x", None), &seen("y", &["/usr/sbin/x", "-d"])));
    }

    #[test]
    fn parameters_are_compared_in_three_ways() {
        let process = seen("web", &["/usr/bin/web", "-a", "port=80"]);
        for (words, form, expected) in [
            (&["-a", "port=80"][..], ParameterForm::Exact, true),
            (&["-a"], ParameterForm::Exact, false),
            (&["-a"], ParameterForm::Partial, true),
            (&["-a", "port"], ParameterForm::Partial, false),
            (&["-a", "port"], ParameterForm::Initial, true),
            (&["-b"], ParameterForm::Initial, false),
            (&[], ParameterForm::Partial, false),
        ] {
            let found = fits(&pattern("web", Some((words, form))), &process);
            assert_eq!(found, expected, "{words:?} {form:?}");
        }
        let bare = seen("web", &["web"]);
        assert!(fits(&pattern("web", Some((&[], ParameterForm::Partial))), &bare));
    }
}
