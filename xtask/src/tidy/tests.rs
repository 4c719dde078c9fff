//! The project itself keeps every rule.

use std::path::PathBuf;

use super::{
    captions, fault::Fault, floors, licences, links, loops, names, purity, rejects, rooms, served,
    sizes, tree::Tree, unsafety, vectors, words,
};

fn root() -> PathBuf {
    crate::root()
}

fn tree() -> Tree {
    Tree::read(&root()).expect("the project's files can be read")
}

#[track_caller]
fn none(faults: &[Fault]) {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn every_file_begins_with_its_caption() {
    none(&captions::faults(&tree()));
}

#[test]
fn files_of_a_crate_import_downward_only() {
    none(&loops::faults(&tree()));
}

#[test]
fn names_say_what_things_are() {
    none(&names::faults(&tree()));
}

#[test]
fn pure_crates_touch_nothing() {
    none(&purity::faults(&tree()));
    none(&purity::of_workspace(&root()));
}

#[test]
fn every_reason_to_drop_a_packet_is_shown() {
    none(&rejects::faults(&tree()));
}

#[test]
fn the_architecture_names_each_crate_once() {
    none(&rooms::faults(&tree()));
}

#[test]
fn nothing_is_too_large() {
    none(&sizes::against_ratchet(&tree()));
}

#[test]
fn unsafe_code_stands_in_its_room_with_its_reasons() {
    none(&unsafety::faults(&tree()));
}

#[test]
fn no_words_that_may_not_stay() {
    none(&words::faults(&tree()));
}

#[test]
fn crates_import_what_the_table_allows() {
    none(&floors::of_workspace(&root()));
}

#[test]
fn every_dependency_has_a_licence_that_fits() {
    none(&licences::of_workspace(&root()));
}

#[test]
fn what_documents_refer_to_is_there() {
    none(&links::faults(&tree()));
}

#[test]
fn every_vector_has_a_source() {
    none(&vectors::faults(&tree()));
}

#[test]
fn what_the_daemon_serves_is_documented() {
    none(&served::faults(&tree()));
}
