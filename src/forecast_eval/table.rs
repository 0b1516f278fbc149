//! Tables of numbers: a row a time, a column a sensor; and which sensors are near each other.

use std::io::BufRead;
use std::path::Path;

use super::ForecastEvalError;
use crate::gzip;

/// What stands for no observation besides an empty cell, in small letters.
const MISSING: [&str; 4] = ["nan", "na", "null", "none"];

/// A table, row by row. What was not observed is no number.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    sensors: usize,
    values: Vec<f32>,
}

impl Table {
    /// Reads a table, packed or not. A first row without a single number names its columns.
    pub fn read(path: &Path, header: bool, zero_is_missing: bool) -> Result<Table, ForecastEvalError> {
        let mut table = Table { sensors: 0, values: Vec::new() };
        rows(path, header, |cells| {
            table.sensors = cells.len();
            let observed = |value: &f32| if zero_is_missing && *value == 0.0 { f32::NAN } else { *value };
            table.values.extend(cells.iter().map(observed));
        })?;
        Ok(table)
    }

    /// Columns.
    pub fn sensors(&self) -> usize {
        self.sensors
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.sensors).unwrap_or(0)
    }

    /// What a sensor observed at a row.
    pub fn value(&self, row: usize, sensor: usize) -> Option<f32> {
        self.values.get(row * self.sensors + sensor).copied().filter(|value| !value.is_nan())
    }

    /// What all sensors observed at a row.
    pub fn row(&self, row: usize) -> Vec<Option<f32>> {
        (0..self.sensors).map(|sensor| self.value(row, sensor)).collect()
    }
}

/// By sensor, those that are near it: where the matrix is not zero. None is near itself.
pub fn near(path: &Path, sensors: usize) -> Result<Vec<Vec<usize>>, ForecastEvalError> {
    let mut near = Vec::new();
    let mut columns = 0;
    rows(path, false, |cells| {
        columns = cells.len();
        let others = cells.iter().enumerate().filter(|(n, weight)| *n != near.len() && **weight != 0.0);
        near.push(others.filter(|(_, weight)| !weight.is_nan()).map(|(n, _)| n).collect());
    })?;
    if (near.len(), columns) != (sensors, sensors) {
        let rows = near.len();
        let what =
            format!("it has {rows} x {columns} numbers, the table {sensors} sensors: give {sensors} x {sensors}");
        return Err(ForecastEvalError::Adjacency(path.into(), what));
    }
    Ok(near)
}

/// Takes the rows of a file of numbers; all have as many as the first.
fn rows(path: &Path, header: bool, mut take: impl FnMut(&[f32])) -> Result<(), ForecastEvalError> {
    let failed = |source| ForecastEvalError::File { path: path.into(), source };
    let wrong = |line, what| ForecastEvalError::Content { path: path.into(), line, what };
    let mut reader = gzip::open(path).map_err(failed)?;
    let (mut text, mut line, mut columns) = (String::new(), 0, None);
    loop {
        text.clear();
        line += 1;
        if reader.read_line(&mut text).map_err(failed)? == 0 {
            return Ok(());
        }
        let row = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if row.is_empty() {
            continue;
        }
        let cells: Vec<&str> = row.split(',').collect();
        match columns {
            Some(columns) if columns != cells.len() => {
                let what =
                    format!("it has {} cells, the first line {columns}; each row needs all columns", cells.len());
                return Err(wrong(line, what));
            }
            _ => {}
        }
        let is_first = columns.replace(cells.len()).is_none();
        if is_first && (header || cells.iter().all(|cell| number(cell).is_none())) {
            continue;
        }
        let numbers: Result<Vec<f32>, usize> =
            cells.iter().enumerate().map(|(n, cell)| number(cell).ok_or(n)).collect();
        let numbers = numbers.map_err(|n| {
            let cell = cells[n].trim();
            wrong(
                line,
                format!("column {}: '{cell}' is no number; leave a cell empty where nothing was observed", n + 1),
            )
        })?;
        take(&numbers);
    }
}

/// The number in a cell; one that says that nothing was observed is no number, and all else is none.
fn number(cell: &str) -> Option<f32> {
    let cell = cell.trim();
    if cell.is_empty() || MISSING.iter().any(|word| cell.eq_ignore_ascii_case(word)) {
        return Some(f32::NAN);
    }
    cell.parse().ok().filter(|number: &f32| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, how: impl FnOnce(&Path) -> Result<T, ForecastEvalError>) -> Result<T, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        how(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn empty_cells_and_words_for_nothing_are_missing_and_zeros_where_asked() {
        let text = "\u{feff}a,b,c\r\n1,,NaN\r\n\r\n0,2.5,null\n";
        let table = read(text, |path| Table::read(path, false, false)).unwrap();
        assert_eq!((table.rows(), table.sensors()), (2, 3));
        assert_eq!(table.row(0), [Some(1.0), None, None]);
        assert_eq!(table.row(1), [Some(0.0), Some(2.5), None]);
        let table = read(text, |path| Table::read(path, false, true)).unwrap();
        assert_eq!(table.row(1), [None, Some(2.5), None]);
        let named = read("101,102\n1,2\n", |path| Table::read(path, true, false)).unwrap();
        assert_eq!((named.rows(), named.row(0)), (1, vec![Some(1.0), Some(2.0)]));
    }

    #[test]
    fn errors_tell_the_line_and_the_column() {
        let told = |text: &str| read(text, |path| Table::read(path, false, false)).unwrap_err();
        assert!(
            told("1,2\n\n1,2,3\n").ends_with("line 3: it has 3 cells, the first line 2; each row needs all columns")
        );
        assert!(told("1,2\n1,x\n").contains("line 2: column 2: 'x' is no number"));
        assert!(told("1,x\n1,2\n").contains("line 1: column 2: 'x'"), "a first row with a number is no header");
        assert!(told("1,inf\n").contains("'inf' is no number"));
    }

    #[test]
    fn who_is_near_is_not_zero_and_not_oneself() {
        let text = "1,0.2,0\n0.2,1,0\n0,3,0\n";
        assert_eq!(read(text, |path| near(path, 3)).unwrap(), [vec![1], vec![0], vec![1]]);
        assert!(read(text, |path| near(path, 4)).unwrap_err().contains("it has 3 x 3 numbers, the table 4 sensors"));
    }
}
