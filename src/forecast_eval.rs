//! How good the forecaster is, measured: a table of sensors runs through it row by row, as in the street, and each forecast is
//! held against what came. Beside it stand two baselines: the last value, and what is usual at the time of day.

use std::path::{Path, PathBuf};

use nanming_dataflows::decide::forecast::parts::Part;

mod calendar;
mod evaluate;
mod plots;
mod report;
mod table;
mod time_of_day;
pub use calendar::Calendar;
pub use report::Report;
pub use table::{Table, near};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The table, packed or not: a row a time, a column a sensor.
    pub table: PathBuf,
    /// Its first row names the sensors, though they be numbers.
    pub header: bool,
    /// When its rows are.
    pub calendar: Calendar,
    /// Share of the rows that is for learning only.
    pub split: f64,
    /// Steps ahead to tell of, ascending.
    pub horizons: Vec<usize>,
    /// So many rows of the scored part, less one, come before the first one that is forecast from.
    pub origin_lag: usize,
    /// A matrix, sensors x sensors: what is not zero is near.
    pub adjacency: Option<PathBuf>,
    /// Zeros are no observations.
    pub zero_is_missing: bool,
    /// Parts of the model that are left out.
    pub without: Vec<Part>,
    /// Where pictures go.
    pub plots: Option<PathBuf>,
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum ForecastEvalError {
    /// A file cannot be read.
    #[error("{path}: {source}; give a .csv or .csv.gz with a row for each time and a column for each sensor")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a table of numbers.
    #[error("{path}, line {line}: {what}")]
    Content {
        /// Which one.
        path: PathBuf,
        /// Which line.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The rows do not fit into days.
    #[error("{0}")]
    Calendar(String),
    /// There is nothing to score.
    #[error("{0}: {1}")]
    TooFew(PathBuf, String),
    /// Who is near whom does not fit the table.
    #[error("{0}: {1}")]
    Adjacency(PathBuf, String),
    /// Pictures cannot be drawn.
    #[error("{0}: {1}")]
    Plot(PathBuf, String),
}

/// Runs a table through the forecaster.
pub fn forecast_eval(plan: &Plan) -> Result<Report, ForecastEvalError> {
    let table = Table::read(&plan.table, plan.header, plan.zero_is_missing)?;
    let near = match &plan.adjacency {
        Some(path) => near(path, table.sensors())?,
        None => vec![Vec::new(); table.sensors()],
    };
    let too_few = |what| ForecastEvalError::TooFew(plan.table.clone(), what);
    let found = evaluate::evaluate(plan, &table, &near).map_err(too_few)?;
    if let Some(dir) = &plan.plots {
        let failed = |error: Box<dyn std::error::Error>| ForecastEvalError::Plot(dir.clone(), error.to_string());
        plots::draw(dir, plan, &table, &found).map_err(failed)?;
    }
    Ok(Report::new(plan, &table, &found))
}

/// What a file is called where it is spoken of.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
