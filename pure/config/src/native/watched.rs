//! `[[file]]`, `[[process]]`, `[[link_delay]]`, `[[polled_link]]`, and what tracks them.

use std::time::Duration;

use mainstay_base::{CarrierSource, LinkName};
use mainstay_engine::vrrp::{
    Gauge, GaugeKind, LinkDelay, Name, Pacing, Settings as VrrpSettings, TrackGauge, TrackedGauge,
    Weight,
};
use mainstay_engine::{
    InitialLevel, ParameterForm, Parameters, ProcessPattern, Settings, WatchedFile, WatchedProcess,
};

use super::table::{Reader, Table};
use super::tracking::{LINK, name, weight, words};
use super::{detection_keys, watched_keys};
use crate::{Code, Fault, Span};

/// The weight of files and processes where nobody says otherwise.
const USUAL_WEIGHT: Weight = Weight { value: 1, reverse: false };

/// The ways of asking a link, by the words that stand for them.
pub(super) const SOURCES: [(&str, CarrierSource); 3] = [
    ("mii", CarrierSource::Mii),
    ("ethtool", CarrierSource::Ethtool),
    ("flags", CarrierSource::Flags),
];

/// Reads all of `[[file]]`, `[[process]]`, `[[link_delay]]` and `[[polled_link]]`.
pub(super) fn read(reader: &mut Reader<'_>, file: Table<'_>, settings: &mut Settings) {
    for table in reader.tables(file, "file", &watched_keys::FILE_GAUGE) {
        if let Some(watched) = watched_file(reader, table) {
            let tracked = gauge(reader, table, GaugeKind::File, &watched.name);
            add(reader, table, &mut settings.vrrp, tracked);
            settings.files.push(watched);
        }
    }
    for table in reader.tables(file, "process", &watched_keys::PROCESS) {
        if let Some(watched) = watched_process(reader, table) {
            let tracked = gauge(reader, table, GaugeKind::Process, &watched.name);
            add(reader, table, &mut settings.vrrp, tracked);
            settings.processes.push(watched);
        }
    }
    for table in reader.tables(file, "link_delay", &watched_keys::LINK_DELAY) {
        let link = reader.parsed::<LinkName>(table, "link", LINK);
        let Some(link) = reader.require(table, "link", link) else { continue };
        let delay =
            LinkDelay { down: length(reader, table, "down"), up: length(reader, table, "up") };
        settings.vrrp.link_delays.insert(link.value, delay);
    }
    for table in reader.tables(file, "polled_link", &watched_keys::POLLED_LINK) {
        let link = reader.parsed::<LinkName>(table, "link", LINK);
        let source = reader.choice(table, "by", &SOURCES).unwrap_or_default();
        let Some(link) = reader.require(table, "link", link) else { continue };
        settings.polled_links.insert(link.value, source);
    }
    for table in reader.tables(file, "pacing", &watched_keys::PACING) {
        let list = reader.get(table, "links");
        let Some(list) = reader.require(table, "links", list) else { continue };
        let names = words(reader, list).unwrap_or_default();
        let links = names.iter().filter_map(|name| match name.parse() {
            Ok(link) => Some(link),
            Err(_) => reader.bad(table.span, format!("`{name}` is no name of a link"), LINK),
        });
        settings.vrrp.pacing.push(Pacing {
            links: links.collect(),
            arp_interval: reader.length(table, "arp_interval").map(|field| field.value),
            na_interval: reader.length(table, "na_interval").map(|field| field.value),
        });
    }
}

fn gauge(reader: &mut Reader<'_>, table: Table<'_>, kind: GaugeKind, name: &Name) -> TrackedGauge {
    let gauge = Gauge { kind, name: name.clone() };
    TrackedGauge { gauge, weight: weight(reader, table).unwrap_or(USUAL_WEIGHT) }
}

fn add(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    settings: &mut VrrpSettings,
    tracked: TrackedGauge,
) {
    if settings.gauges.iter().any(|other| other.gauge == tracked.gauge) {
        let message = format!("`{}` is there twice", tracked.gauge);
        let fault = Fault::error(Code::NameTwice, message).at(table.span);
        reader.faults.add(fault.help("give one of them another name"));
    }
    settings.gauges.push(tracked);
}

fn watched_file(reader: &mut Reader<'_>, table: Table<'_>) -> Option<WatchedFile> {
    let name = name(reader, table);
    let path = reader.text(table, "path");
    let path = reader.require(table, "path", path);
    let levels = i64::from(i32::MIN)..=i64::from(i32::MAX);
    let level = reader.integer(table, "initial", levels);
    let overwrite = reader.flag(table, "overwrite", false);
    let initial = level.map(|level| InitialLevel {
        level: i32::try_from(level.value).expect("the range was checked"),
        overwrite,
    });
    Some(WatchedFile { name: name?, path: path?.value.into(), initial })
}

fn watched_process(reader: &mut Reader<'_>, table: Table<'_>) -> Option<WatchedProcess> {
    let name = name(reader, table);
    let list = reader.get(table, "process");
    let list = reader.require(table, "process", list)?;
    let all = words(reader, list)?;
    let (program, parameters) = all.split_first()?;
    let forms = [
        ("exact", ParameterForm::Exact),
        ("partial", ParameterForm::Partial),
        ("initial", ParameterForm::Initial),
    ];
    let form = reader.choice(table, "match", &forms);
    let matters = form.is_some() || !parameters.is_empty();
    let words = parameters.to_vec();
    let parameters =
        matters.then(|| Parameters { words, form: form.unwrap_or(ParameterForm::Exact) });
    let command_line = reader.flag(table, "command_line", false);
    let quorum_max = reader.count(table, "quorum_max", 0..=65_535);
    let quorum = reader.count(table, "quorum", 0..=65_535);
    Some(WatchedProcess {
        name: name?,
        pattern: ProcessPattern { program: program.clone(), parameters, command_line },
        quorum: quorum.unwrap_or(u32::from(quorum_max != Some(0))),
        quorum_max,
        up_delay: length(reader, table, "up_delay"),
        down_delay: length(reader, table, "down_delay"),
    })
}

fn length(reader: &mut Reader<'_>, table: Table<'_>, key: &str) -> Duration {
    reader.length(table, key).map_or(Duration::ZERO, |field| field.value)
}

/// Reads `track_files`, `track_processes` and `track_sessions`.
pub(super) fn track_gauges(reader: &mut Reader<'_>, table: Table<'_>) -> Vec<TrackGauge> {
    let mut gauges = Vec::new();
    let lists = [
        ("track_files", "file", &watched_keys::TRACK_FILE, GaugeKind::File),
        ("track_processes", "process", &watched_keys::TRACK_PROCESS, GaugeKind::Process),
        ("track_sessions", "session", &detection_keys::TRACK_SESSION, GaugeKind::Session),
    ];
    for (list, key, section, kind) in lists {
        for entry in reader.tables(table, list, section) {
            let name = reader.text(entry, key);
            let Some(name) = reader.require(entry, key, name) else { continue };
            let gauge = Gauge { kind, name: Name::new(name.value) };
            gauges.push(TrackGauge { gauge, weight: weight(reader, entry) });
        }
    }
    gauges
}

/// Whatever is tracked is there.
pub(super) fn check(settings: &VrrpSettings, file: Span, reader: &mut Reader<'_>) {
    let routers = settings.routers.iter().flat_map(|router| &router.track_gauges);
    let groups = settings.groups.iter().flat_map(|group| &group.track_gauges);
    for track in routers.chain(groups) {
        if !settings.gauges.iter().any(|known| known.gauge == track.gauge) {
            let message = format!("there is no {}, which is tracked", track.gauge);
            let fault = Fault::error(Code::NameUnknown, message).at(file);
            reader
                .faults
                .add(fault.help("add a `[[file]]`, `[[process]]` or `[[bfd]]` of that name"));
        }
    }
}
