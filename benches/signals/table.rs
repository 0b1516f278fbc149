//! Delays by controller.

use std::fmt;

/// What a controller's seeds came to.
pub(crate) struct Row {
    name: String,
    /// s a vehicle, sorted.
    delays_s: Vec<f64>,
    arrived: u64,
    loaded: u64,
    pub(crate) decide_ms: Option<f64>,
}

impl Row {
    pub(crate) fn new(name: &str, mut delays_s: Vec<f64>, arrived: u64, loaded: u64, decide_ms: Option<f64>) -> Row {
        delays_s.sort_by(f64::total_cmp);
        Row { name: name.into(), delays_s, arrived, loaded, decide_ms }
    }

    pub(crate) fn seeds(&self) -> usize {
        self.delays_s.len()
    }

    pub(crate) fn median_s(&self) -> f64 {
        let n = self.delays_s.len();
        (self.delays_s[(n - 1) / 2] + self.delays_s[n / 2]) / 2.0
    }

    pub(crate) fn worst_s(&self) -> f64 {
        self.delays_s[self.delays_s.len() - 1]
    }
}

/// All rows of a map, in the order in which they were played.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.0.iter().find(|row| row.name == name)
    }

    /// Of some rows the one with the least median, and that median, s.
    pub(crate) fn best(&self, names: &[&str]) -> Option<(&str, f64)> {
        let rows = self.0.iter().filter(|row| names.contains(&row.name.as_str()));
        let best = rows.min_by(|a, b| a.median_s().total_cmp(&b.median_s()));
        best.map(|row| (row.name.as_str(), row.median_s()))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:<34} {:>9} {:>9} {:>7} {:>8} {:>15} {:>8}  gridlock",
            "controller", "median s", "worst s", "/ best", "/ engine", "arrived", "ms / s"
        )?;
        let best_s = self.best(&super::rules::ALL).map_or(f64::NAN, |(_, best_s)| best_s);
        let engine_s = self.row(super::ENGINE[0].0).map_or(f64::NAN, Row::median_s);
        for row in &self.0 {
            let (median_s, worst_s) = (row.median_s(), row.worst_s());
            let decide_ms = row.decide_ms.map_or(String::new(), |ms| format!("{ms:.2}"));
            let gridlock = if worst_s > super::GRIDLOCK * median_s { "YES" } else { "no" };
            writeln!(
                f,
                "  {:<34} {median_s:>9.1} {worst_s:>9.1} {:>7.2} {:>8.2} {:>15} {decide_ms:>8}  {gridlock}",
                row.name,
                median_s / best_s,
                median_s / engine_s,
                format!("{}/{}", row.arrived, row.loaded),
            )?;
        }
        Ok(())
    }
}
