//! The result of a bench: a table in Markdown, the same as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::program::Program;

/// What was measured several times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    samples: Vec<f64>,
}

impl Figure {
    /// Notes one more sample.
    pub fn note(&mut self, sample: f64) {
        self.samples.push(sample);
        self.samples.sort_by(f64::total_cmp);
    }

    /// How often it was measured.
    pub fn count(&self) -> usize {
        self.samples.len()
    }

    /// The middle sample; of an even number the lower one of the two in the middle.
    pub fn median(&self) -> f64 {
        let middle = self.samples.len().saturating_sub(1) / 2;
        self.samples.get(middle).copied().unwrap_or(f64::NAN)
    }

    /// The greatest sample.
    pub fn greatest(&self) -> f64 {
        self.samples.last().copied().unwrap_or(f64::NAN)
    }

    /// From the least sample to the greatest; nothing where there is none.
    pub fn spread(&self) -> f64 {
        self.samples.first().map_or(0.0, |least| self.greatest() - least)
    }

    /// The median, then the greatest sample.
    pub fn words(&self) -> String {
        if self.count() == 0 {
            return "–".to_owned();
        }
        let whole = self.samples.iter().all(|sample| sample.fract() == 0.0);
        let digits = match self.greatest() {
            _ if whole => 0,
            most if most < 10.0 => 2,
            most => usize::from(most < 100.0),
        };
        format!("{:.digits$} ({:.digits$})", self.median(), self.greatest())
    }
}

/// What a figure must not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// Its median.
    pub median: Option<f64>,
    /// Its greatest sample.
    pub greatest: Option<f64>,
}

impl Bar {
    /// For the median alone.
    pub const fn median(most: f64) -> Bar {
        Bar { median: Some(most), greatest: None }
    }

    /// For every sample.
    pub const fn every(most: f64) -> Bar {
        Bar { median: None, greatest: Some(most) }
    }

    /// Whether a figure keeps it; one without samples does not.
    pub fn is_met_by(&self, figure: &Figure) -> bool {
        let keeps = |most: Option<f64>, sample: f64| most.is_none_or(|most| sample <= most);
        figure.count() > 0
            && keeps(self.median, figure.median())
            && keeps(self.greatest, figure.greatest())
    }

    fn words(&self) -> String {
        match (self.median, self.greatest) {
            (Some(median), Some(greatest)) => format!("≤ {median}, max ≤ {greatest}"),
            (Some(median), None) => format!("≤ {median}"),
            (None, Some(greatest)) => format!("max ≤ {greatest}"),
            (None, None) => String::new(),
        }
    }
}

/// One thing that was measured, once for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// What was measured, in the order of the columns.
    pub figures: Vec<Figure>,
    /// What the last column must not exceed.
    pub bar: Option<Bar>,
    /// By how much the columns between the first and the last may exceed the first one.
    pub margin: Option<f64>,
}

/// Rows that were measured for each of several casts; the first column is the measure of the
/// others.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows, with the unit.
    pub title: String,
    /// Who was measured.
    pub columns: Vec<String>,
    /// What was measured.
    pub rows: Vec<Row>,
    /// How it was measured, where that is not plain, and what was seen where something went wrong.
    pub remarks: Vec<String>,
}

impl Table {
    /// The order of the columns where each program plays alone.
    pub const PROGRAMS: [Program; 2] = [Program::Keepalived, Program::Mainstay];

    /// An empty table with a column for each program.
    pub fn new(title: &str) -> Table {
        let columns = Table::PROGRAMS.map(|program| program.to_string());
        Table::with_columns(title, columns.to_vec())
    }

    /// An empty table with these columns.
    pub fn with_columns(title: &str, columns: Vec<String>) -> Table {
        Table { title: title.to_owned(), columns, rows: Vec::new(), remarks: Vec::new() }
    }

    /// Notes a sample of a program; the row is made if it is not there.
    pub fn note(&mut self, row: &str, program: Program, sample: f64) {
        self.note_in(row, usize::from(program == Program::Mainstay), sample);
    }

    /// Notes a sample in a column, by its place; the row is made if it is not there.
    ///
    /// # Panics
    /// There is no such column.
    pub fn note_in(&mut self, row: &str, column: usize, sample: f64) {
        self.row(row).figures[column].note(sample);
    }

    /// Keeps a remark for machines, and says it on standard error.
    pub fn remark(&mut self, remark: String) {
        eprintln!("{remark}");
        self.remarks.push(remark);
    }

    /// Says what the last column of a row must not exceed; the row is made if it is not there.
    pub fn demand(&mut self, row: &str, bar: Bar) {
        self.row(row).bar = Some(bar);
    }

    /// Says by how much, for the error of the measurement, the columns between the first and the last may exceed the
    /// first one in a row, in the median and at most; the row is made if it is not there.
    pub fn allow(&mut self, row: &str, margin: f64) {
        self.row(row).margin = Some(margin);
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let place = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            let figures = vec![Figure::default(); self.columns.len()];
            self.rows.push(Row { name: name.to_owned(), figures, bar: None, margin: None });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// In Markdown: the median of each figure, the greatest sample, the ratio of the medians to
    /// the first column's, and whether the bar is met.
    pub fn markdown(&self) -> String {
        let bars = self.rows.iter().any(|row| row.is_met().is_some());
        let mut head = format!("| {} |", self.title);
        for (place, column) in self.columns.iter().enumerate() {
            let ratio = if place > 0 { " ratio |" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(head, " {column}, median (max) |{ratio}");
        }
        if bars {
            head.push_str(" bar | |");
        }
        let rule = "---|".repeat(head.matches('|').count() - 1);
        let mut text = format!("{head}\n|{rule}\n");
        for row in &self.rows {
            text.push_str(&row.markdown());
            if bars {
                text.push_str(&row.verdict());
            }
            text.push('\n');
        }
        text
    }

    /// Whether every bar is met.
    pub fn meets_its_bars(&self) -> bool {
        self.rows.iter().all(|row| row.is_met() != Some(false))
    }

    /// For machines, with every sample.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let mut object = json!({ "name": row.name });
            for (column, figure) in self.columns.iter().zip(&row.figures) {
                object[column] = json!(figure.samples);
            }
            if let Some(bar) = row.bar {
                object["bar"] = json!({ "median": bar.median, "greatest": bar.greatest });
            }
            if let Some(margin) = row.margin {
                object["margin"] = json!(margin);
            }
            if let Some(met) = row.is_met() {
                object["met"] = json!(met);
            }
            object
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "title": self.title, "columns": self.columns, "rows": rows, "remarks": self.remarks })
    }
}

impl Row {
    fn markdown(&self) -> String {
        let mut text = format!("| {} |", self.name);
        for (place, figure) in self.figures.iter().enumerate() {
            let _ = write!(text, " {} |", figure.words());
            if place > 0 {
                let _ = write!(text, " {} |", ratio(figure, &self.figures[0]));
            }
        }
        text
    }

    /// Whether it is as it must be; none where nothing is demanded.
    pub fn is_met(&self) -> Option<bool> {
        let bar = self.bar.map(|bar| self.figures.last().is_some_and(|last| bar.is_met_by(last)));
        let margin = self.margin.map(|margin| self.keeps(margin));
        bar.into_iter().chain(margin).reduce(|one, other| one && other)
    }

    fn keeps(&self, margin: f64) -> bool {
        let [first, between @ .., _] = &self.figures[..] else { return false };
        let bar = Bar {
            median: Some(first.median() + margin),
            greatest: Some(first.greatest() + margin),
        };
        between.iter().all(|figure| bar.is_met_by(figure))
    }

    fn verdict(&self) -> String {
        let demands = self.bar.map(|bar| bar.words()).into_iter();
        let demands: Vec<String> =
            demands.chain(self.margin.map(|margin| format!("first + {margin:.1}"))).collect();
        let met = match self.is_met() {
            None => "",
            Some(_) if self.figures.iter().all(|figure| figure.count() == 0) => "–",
            Some(true) => "met",
            Some(false) => "missed",
        };
        format!(" {} | {met} |", demands.join(", "))
    }
}

fn ratio(figure: &Figure, measure: &Figure) -> String {
    if figure.count() == 0 || measure.count() == 0 || measure.median() == 0.0 {
        return "–".to_owned();
    }
    let ratio = figure.median() / measure.median();
    if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_medians_extremes_and_ratios() {
        let mut table = Table::new("gap, ms");
        for (program, samples) in [
            (Program::Keepalived, [400.0, 200.0, 300.0]),
            (Program::Mainstay, [160.0, 150.0, 90.0]),
        ] {
            samples.into_iter().for_each(|sample| table.note("cut", program, sample));
        }
        assert!(table.markdown().ends_with("| cut | 300 (400) | 150 (160) | 0.50 |\n"));
        table.remark("asked every 2 ms".to_owned());
        assert_eq!(table.json()["rows"][0]["mainstay"][2], 160.0);
        assert_eq!(table.json()["remarks"][0], "asked every 2 ms");
    }

    #[test]
    fn a_bar_is_met_or_missed_by_the_last_column() {
        let mut table = Table::new("gap, ms");
        table.demand("cut", Bar { median: Some(20.0), greatest: Some(50.0) });
        table.demand("stop", Bar::every(0.0));
        for sample in [10.5, 60.5] {
            table.note("cut", Program::Mainstay, sample);
            table.note("stop", Program::Mainstay, 0.0);
        }
        assert!(!table.meets_its_bars());
        let text = table.markdown();
        assert!(text.contains("| – | 10.5 (60.5) | – | ≤ 20, max ≤ 50 | missed |"), "{text}");
        assert!(text.contains("| – | 0 (0) | – | max ≤ 0 | met |"), "{text}");
        let columns: Vec<usize> = text.lines().map(|line| line.matches('|').count()).collect();
        assert!(columns.iter().all(|count| *count == columns[0]), "{text}");
    }

    #[test]
    fn every_pair_is_compared_with_the_first() {
        let mut table = Table::with_columns("gap, ms", ["KK", "KM", "MM"].map(String::from).into());
        (0..3).for_each(|column| table.note_in("cut", column, [200.0, 100.0, 10.0][column]));
        let text = table.markdown();
        assert!(text.ends_with("| cut | 200 (200) | 100 (100) | 0.50 | 10 (10) | 0.050 |\n"));
        table.allow("cut", 5.0);
        assert!(table.markdown().ends_with(" 0.050 | first + 5.0 | met |\n"));
        table.note_in("cut", 1, 205.5);
        assert!(!table.meets_its_bars(), "its greatest sample is above the first column's");
    }
}
