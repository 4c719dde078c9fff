//! Keywords that nothing is done with: known ones with a reason, unknown ones with a guess.

use super::keywords::{self, Block, Status};
use super::tree::Statement;
use crate::fault::Faults;
use crate::suggest::nearest;
use crate::{Code, Fault, Severity};

/// Says what becomes of a statement that was not taken.
pub(super) fn unhandled(block: Block, statement: &Statement, faults: &mut Faults) {
    let name = statement.keyword();
    let fault = match keywords::find(block, name).map(|keyword| keyword.status) {
        Some(Status::Skipped(_)) => return,
        Some(Status::CarriedOut | Status::Added) => {
            debug_assert!(false, "`{name}` is carried out where its block is read");
            return;
        }
        Some(Status::NoEffect(reason)) => {
            let message = format!("`{name}` has no effect: {reason}");
            Fault::warning(Code::KeywordNotCarriedOut, message)
                .here(statement.at(), "")
                .help("remove it, or leave it for keepalived's sake")
        }
        Some(Status::Refused(reason)) => {
            let message = format!("`{name}` is refused: {reason}");
            Fault::error(Code::KeywordNotCarriedOut, message)
                .here(statement.at(), "")
                .help("remove it from all peers")
        }
        None if faults.full(Severity::Warning) => Fault::warning(Code::KeywordUnknown, ""),
        None => unknown(block, statement),
    };
    faults.add(fault);
}

fn unknown(block: Block, statement: &Statement) -> Fault {
    let name = statement.keyword();
    let what = if statement.block.is_some() { "its block is" } else { "its line is" };
    let message = format!("the keyword `{name}` is not known here; {what} left out");
    let unknown = Fault::warning(Code::KeywordUnknown, message).here(statement.at(), "");
    let here = keywords::of_block(block).iter();
    let elsewhere = keywords::keywords().find(|keyword| keyword.name == name);
    match (elsewhere, nearest(name, here.map(|keyword| keyword.name))) {
        (Some(keyword), _) => {
            let place = keyword.block.place();
            let message = format!("`{name}` does not belong here; {what} left out");
            Fault::warning(Code::KeywordMisplaced, message)
                .here(statement.at(), "")
                .help(format!("it belongs {place}"))
        }
        (None, Some(guess)) => unknown.help(format!("did you mean `{guess}`?")),
        (None, None) if block == Block::Group => {
            unknown.help("names of instances stand in `group { … }`")
        }
        (None, None) => unknown.help("remove it, or look for a slip before it"),
    }
}
