//! A CSV of names and places.

use std::path::Path;

/// The rows of a file with the columns `name`, `lon`, `lat`, in any order; others are left alone.
pub(super) fn read(path: &Path) -> Result<Vec<(String, f64, f64)>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let records = records(&format!("{}\n", text.trim_start_matches('\u{feff}')));
    let mut records =
        records.into_iter().enumerate().filter(|(_, record)| record.iter().any(|field| !field.is_empty()));
    let (_, head) = records.next().ok_or_else(|| format!("{} is empty", path.display()))?;
    let column = |name: &str| {
        let missing = || format!("{} has no column '{name}'; it needs name, lon and lat", path.display());
        head.iter().position(|field| field.trim() == name).ok_or_else(missing)
    };
    let (name, lon, lat) = (column("name")?, column("lon")?, column("lat")?);
    let row = |(row, record): (usize, Vec<String>)| {
        let degrees = |column: usize| record.get(column).and_then(|field| field.trim().parse::<f64>().ok());
        let read = || Some((record.get(name)?.trim().to_owned(), degrees(lon)?, degrees(lat)?));
        read().ok_or_else(|| format!("{} record {}: name, lon and lat cannot be read", path.display(), row + 1))
    };
    records.map(row).collect()
}

/// The records of a CSV that ends with a line feed, with the quotes that RFC 4180 has.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let mut input = text.as_bytes();
    let (mut fields, mut ends) = (vec![0; text.len().max(64) * 2], vec![0; text.len() + 8]);
    let mut records = Vec::new();
    loop {
        let (result, read, _, count) = reader.read_record(input, &mut fields, &mut ends);
        input = &input[read..];
        match result {
            csv_core::ReadRecordResult::Record => {
                let starts = [0].into_iter().chain(ends.iter().copied());
                let spans = starts.zip(&ends).take(count);
                records
                    .push(spans.map(|(from, to)| String::from_utf8_lossy(&fields[from..*to]).into_owned()).collect());
            }
            csv_core::ReadRecordResult::InputEmpty if read > 0 => {}
            _ => return records,
        }
    }
}
