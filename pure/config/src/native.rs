//! mainstay's own language: TOML in RFC 9568's words.
//!
//! The text becomes a tree in which every key and value has its place; what is not well formed,
//! not known or not of its kind is a fault, all of them at once. Unlike keepalived.conf, a text
//! with an error gives no settings.

mod address;
mod address_keys;
mod announce_keys;
mod check;
mod detection;
mod detection_keys;
mod fixed_keys;
mod hmac;
mod hmac_keys;
mod keys;
mod node;
mod notify_keys;
mod router;
mod routing;
mod section;
mod table;
mod telling;
mod telling_keys;
mod times;
mod tracking;
mod virtual_links;
mod watched;
mod watched_keys;
mod write;

pub use keys::reference;
pub use section::{Key, Section};
pub use write::write;

use mainstay_engine::Settings;
use toml::Spanned;
use toml::de::DeTable;

use self::router::Places;
use self::table::{Reader, Table};
use crate::fault::Faults;
use crate::sources::named;
use crate::{Code, FILE_SIZE_MAX, Fault, Loaded, SourceMap, Sources, Unreadable};

/// Longer files are refused: every line of a text that is no TOML is a fault of its own.
const SIZE_MAX: usize = FILE_SIZE_MAX / 4;

/// In longer texts the first error of syntax stands for all: each line could hold one.
const ALL_ERRORS_MAX: usize = 256 << 10;

/// Reads the file at a path.
pub fn load(path: &str, sources: &mut dyn Sources) -> Loaded {
    let mut faults = Faults::default();
    let mut map = SourceMap::default();
    let settings = text(path, sources, &mut faults).and_then(|text| {
        let file = map.add(path, text);
        settings(map.text(file), Reader { faults: &mut faults, file, sources, namespace: None })
    });
    Loaded { settings, faults: faults.finish(), sources: map }
}

/// The text of the file, if it is a text.
fn text(path: &str, sources: &mut dyn Sources, faults: &mut Faults) -> Option<String> {
    let found = named(sources, path);
    let refuse = |code, message, help: &str| Fault::error(code, message).help(help);
    let fault = match found.map(|found| found.content) {
        None => refuse(
            Code::FileMissing,
            format!("there is no file `{path}`"),
            "name the file that is to be read",
        ),
        Some(Err(Unreadable::NotRegular)) => refuse(
            Code::FileUnreadable,
            format!("`{path}` is not a regular file"),
            "name a regular file",
        ),
        Some(Err(Unreadable::Refused(why))) => {
            let message = format!("`{path}` cannot be read: {why}");
            refuse(Code::FileUnreadable, message, "check that it is there and readable")
        }
        Some(Err(Unreadable::TooBig)) => too_big(path),
        Some(Err(Unreadable::Changing)) => Fault::changing(path),
        Some(Ok(bytes)) if bytes.len() > SIZE_MAX => too_big(path),
        Some(Ok(bytes)) => match String::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => {
                refuse(Code::FileBinary, format!("`{path}` holds NUL bytes"), "name a text file")
            }
            Ok(text) => return Some(text),
            Err(why) => {
                let at = why.utf8_error().valid_up_to();
                let message = format!("`{path}` is not UTF-8 from byte {at} on");
                refuse(Code::FileNotUtf8, message, "TOML is UTF-8; store the file so")
            }
        },
    };
    faults.add(fault);
    None
}

fn too_big(path: &str) -> Fault {
    Fault::error(Code::FileTooBig, format!("`{path}` is longer than {} MiB", SIZE_MAX >> 20))
        .help("no configuration is so long: is it the right file?")
}

/// The settings of a text; none if anything in it is an error.
fn settings(text: &str, mut reader: Reader<'_>) -> Option<Settings> {
    let (document, errors) = parse(text);
    let unsound = !errors.is_empty();
    for error in errors {
        let span = reader.span(error.span().unwrap_or(0..0));
        let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
        let fault = Fault::error(Code::TomlSyntax, message).at(span);
        reader.faults.add(fault.help("see https://toml.io for the language"));
    }
    let span = reader.span(0..0);
    let file = reader.known(document.get_ref(), &keys::FILE, span);
    language_version(&mut reader, file, unsound);
    let mut settings = Settings::default();
    node::read(&mut reader, file, &mut settings);
    node::scripts(&mut reader, file, &mut settings);
    watched::read(&mut reader, file, &mut settings);
    detection::read(&mut reader, file, &mut settings);
    telling::read(&mut reader, file, &mut settings.telling);
    settings.vrrp.fixed = routing::fixed(&mut reader, file);
    let places = routers(&mut reader, file, &mut settings);
    node::groups(&mut reader, file, &mut settings);
    check::routers(&settings.vrrp, &places, &mut reader);
    watched::check(&settings.vrrp, file.span, &mut reader);
    if settings.vrrp.routers.is_empty() && !reader.faults.any_error() {
        let message =
            "there is no virtual router in this configuration: no address is kept answering";
        let fault = Fault::warning(Code::NoRouters, message);
        reader.faults.add(
            fault.help(
                "add `[[virtual_router]]`; to have a daemon let go of its addresses, stop it",
            ),
        );
    }
    (!reader.faults.any_error()).then_some(settings)
}

/// The tree of a text, and what is wrong with it: everything, unless the text is very long.
fn parse(text: &str) -> (Spanned<DeTable<'_>>, Vec<toml::de::Error>) {
    if text.len() <= ALL_ERRORS_MAX {
        return DeTable::parse_recoverable(text);
    }
    match DeTable::parse(text) {
        Ok(document) => (document, Vec::new()),
        Err(first) => (Spanned::new(0..0, DeTable::new()), vec![first]),
    }
}

/// The whole text is in the first version of the language.
fn language_version(reader: &mut Reader<'_>, file: Table<'_>, unsound: bool) {
    let found = reader.integer(file, "version", 1..=1);
    if found.is_none() && !unsound && reader.get(file, "version").is_none() {
        let message = "the file does not say in which version of the language it is";
        let fault = Fault::error(Code::VersionUnknown, message).at(file.span);
        reader.faults.add(fault.help("write `version = 1` at the top"));
    }
}

fn routers(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) -> Vec<Places> {
    let mut places = Vec::new();
    for table in reader.tables(file, "virtual_router", &keys::ROUTER) {
        let notify = tracking::notify(reader, table);
        let Some((router, place)) = router::read(reader, table) else { continue };
        if notify != mainstay_engine::Notify::default() {
            settings.notify_routers.insert(router.name.clone(), notify);
        }
        settings.vrrp.routers.push(router);
        places.push(place);
    }
    places
}
