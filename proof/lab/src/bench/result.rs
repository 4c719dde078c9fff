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

    /// The middle sample; of an even number the lower one of the two in the middle.
    pub fn median(&self) -> f64 {
        let middle = self.samples.len().saturating_sub(1) / 2;
        self.samples.get(middle).copied().unwrap_or(f64::NAN)
    }

    /// The greatest sample.
    pub fn greatest(&self) -> f64 {
        self.samples.last().copied().unwrap_or(f64::NAN)
    }
}

/// Rows that were measured for both programs.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows, with the unit.
    pub title: String,
    /// What was measured, for each program in the order of [`Table::PROGRAMS`].
    pub rows: Vec<(String, [Figure; 2])>,
}

impl Table {
    /// The order of the columns.
    pub const PROGRAMS: [Program; 2] = [Program::Keepalived, Program::Mainstay];

    /// An empty table.
    pub fn new(title: &str) -> Table {
        Table { title: title.to_owned(), rows: Vec::new() }
    }

    /// Notes a sample; the row is made if it is not there.
    pub fn note(&mut self, row: &str, program: Program, sample: f64) {
        let column = usize::from(program == Program::Mainstay);
        let place = self.rows.iter().position(|(name, _)| name == row).unwrap_or_else(|| {
            self.rows.push((row.to_owned(), Default::default()));
            self.rows.len() - 1
        });
        self.rows[place].1[column].note(sample);
    }

    /// In Markdown: the median of each figure, the greatest sample, and the ratio of the medians.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "| {} | keepalived, median (max) | mainstay, median (max) | ratio |\n|---|---|---|---|\n",
            self.title
        );
        for (name, [theirs, ours]) in &self.rows {
            let ratio = ours.median() / theirs.median();
            let (theirs, ours) = (cell(theirs), cell(ours));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {name} | {theirs} | {ours} | {ratio:.2} |");
        }
        text
    }

    /// For machines, with every sample.
    pub fn json(&self) -> Value {
        let row = |(name, [theirs, ours]): &(String, [Figure; 2])| json!({ "name": name, "keepalived": theirs.samples, "mainstay": ours.samples });
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "title": self.title, "rows": rows })
    }
}

fn cell(figure: &Figure) -> String {
    let digits = if figure.greatest() < 10.0 { 2 } else { usize::from(figure.greatest() < 100.0) };
    format!("{:.digits$} ({:.digits$})", figure.median(), figure.greatest())
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
        assert_eq!(table.json()["rows"][0]["mainstay"][2], 160.0);
    }
}
