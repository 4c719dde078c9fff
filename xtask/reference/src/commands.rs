//! The page of all commands, the man pages and completions, from the one definition.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use mainstay_cli::Arguments;

use crate::table::GENERATED;

/// `docs/reference/commands.md`: the help of each command as it is printed.
pub fn page() -> String {
    let mut text = format!("{GENERATED}# Commands\n");
    let mut root = definition();
    section(&mut text, &mut root);
    text
}

fn definition() -> Command {
    // Help must not depend on the terminal or the environment of whoever generates it.
    let mut command = Arguments::command()
        .term_width(100)
        .color(clap::ColorChoice::Never)
        .mut_arg("runtime_dir", |argument| argument.hide_env_values(true));
    command.build();
    command
}

fn section(text: &mut String, command: &mut Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n")));
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            section(text, inner);
        }
    }
}

/// Man pages and completions below a folder.
pub fn write_packaged(folder: &Path) -> io::Result<()> {
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    std::fs::create_dir_all(&man)?;
    std::fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(definition(), &man)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Arguments::command(), "mainstay", &completions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_section() {
        let page = page();
        for command in definition().get_subcommands().filter(|command| !command.is_hide_set()) {
            if command.get_name() != "help" {
                assert!(page.contains(&format!("\n## `mainstay {}`\n", command.get_name())));
            }
        }
    }
}
