//! `[[file]]`, `[[process]]`, `[[link_delay]]`, `[[polled_link]]`, and what tracks them.

use std::time::Duration;

use mainstay_base::CarrierSource;
use mainstay_engine::vrrp::{Gauge, GaugeKind, Name, TrackGauge, Weight};
use mainstay_engine::{ParameterForm, Settings, WatchedFile, WatchedProcess};

use super::super::watched::SOURCES;
use super::{Inline, Text, list, quoted, time};

impl Text {
    pub(super) fn watched(&mut self, settings: &Settings) {
        let weight = |kind, name: &Name| {
            let gauge = Gauge { kind, name: name.clone() };
            let found = settings.vrrp.gauges.iter().find(|tracked| tracked.gauge == gauge);
            found.map(|tracked| tracked.weight)
        };
        for file in &settings.files {
            self.file(file);
            self.weight(weight(GaugeKind::File, &file.name));
        }
        for process in &settings.processes {
            self.process(process);
            self.weight(weight(GaugeKind::Process, &process.name));
        }
        for (link, delay) in &settings.vrrp.link_delays {
            self.heading("[[link_delay]]");
            self.text("link", Some(link.as_str()));
            self.unless("down", delay.down, Duration::ZERO, time);
            self.unless("up", delay.up, Duration::ZERO, time);
        }
        for (link, wanted) in &settings.polled_links {
            self.heading("[[polled_link]]");
            self.text("link", Some(link.as_str()));
            self.unless("by", *wanted, CarrierSource::Mii, |wanted| {
                let word = SOURCES.iter().find(|(_, source)| *source == wanted);
                quoted(word.expect("every way has a word").0)
            });
        }
        for pacing in &settings.vrrp.pacing {
            self.heading("[[pacing]]");
            let links: Vec<String> =
                pacing.links.iter().map(|link| quoted(link.as_str())).collect();
            self.key("links", list(&links));
            self.unless("arp_interval", pacing.arp_interval, None, |gap| {
                time(gap.unwrap_or_default())
            });
            self.unless("na_interval", pacing.na_interval, None, |gap| {
                time(gap.unwrap_or_default())
            });
        }
    }

    fn weight(&mut self, weight: Option<Weight>) {
        let weight = weight.unwrap_or(Weight { value: 1, reverse: false });
        self.key("weight", weight.value.to_string());
        self.flag("reverse", weight.reverse, false);
    }

    fn file(&mut self, file: &WatchedFile) {
        self.heading("[[file]]");
        self.text("name", Some(file.name.as_str()));
        self.text("path", Some(&file.path.to_string_lossy()));
        if let Some(initial) = file.initial {
            self.key("initial", initial.level.to_string());
            self.flag("overwrite", initial.overwrite, false);
        }
    }

    fn process(&mut self, process: &WatchedProcess) {
        self.heading("[[process]]");
        self.text("name", Some(process.name.as_str()));
        let pattern = &process.pattern;
        let mut words = vec![quoted(&pattern.program)];
        if let Some(parameters) = &pattern.parameters {
            words.extend(parameters.words.iter().map(|word| quoted(word)));
        }
        self.key("process", list(&words));
        if let Some(parameters) = &pattern.parameters {
            self.key(
                "match",
                match parameters.form {
                    ParameterForm::Exact => "\"exact\"",
                    ParameterForm::Partial => "\"partial\"",
                    ParameterForm::Initial => "\"initial\"",
                },
            );
        }
        self.flag("command_line", pattern.command_line, false);
        self.key("quorum", process.quorum.to_string());
        if let Some(most) = process.quorum_max {
            self.key("quorum_max", most.to_string());
        }
        self.unless("up_delay", process.up_delay, Duration::ZERO, time);
        self.unless("down_delay", process.down_delay, Duration::ZERO, time);
    }

    pub(super) fn track_gauges(&mut self, gauges: &[TrackGauge]) {
        self.track_kind("track_files", "file", GaugeKind::File, gauges);
        self.track_kind("track_processes", "process", GaugeKind::Process, gauges);
        self.track_kind("track_sessions", "session", GaugeKind::Session, gauges);
    }

    fn track_kind(&mut self, key: &str, inner: &str, kind: GaugeKind, gauges: &[TrackGauge]) {
        let of_kind = gauges.iter().filter(|track| track.gauge.kind == kind);
        let written: Vec<String> = of_kind
            .map(|track| {
                let mut inline = Inline::start(inner, quoted(track.gauge.name.as_str()));
                if let Some(weight) = track.weight {
                    inline.weight(weight);
                }
                inline.end()
            })
            .collect();
        if !written.is_empty() {
            self.key(key, list(&written));
        }
    }
}
