//! All that a ledger holds, as JSON Lines: a file for each table. What could be a secret stays, and in texts of people what
//! looks like a telephone number or a plate is hidden.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use nanming_dataflows::decision::SignalCommand;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::{Map, Value};

use super::LedgerError;
use crate::ingest::without_private;

/// Keys of senders, and hashes of what they sent.
const KEPT_BACK: [&str; 2] = ["key", "content"];

/// Writes every table into a directory, as all is at one moment. Names of tables with their rows.
pub fn export(db: &Connection, dir: &Path) -> Result<Vec<(String, usize)>, LedgerError> {
    std::fs::create_dir_all(dir).map_err(|source| LedgerError::File { path: dir.into(), source })?;
    let moment = db.unchecked_transaction()?;
    let mut statement = moment.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names.into_iter().map(|name| table(&moment, dir, &name).map(|rows| (name, rows))).collect()
}

fn table(db: &Connection, dir: &Path, name: &str) -> Result<usize, LedgerError> {
    let path = dir.join(format!("{name}.jsonl"));
    let failed = |source| LedgerError::File { path: path.clone(), source };
    let mut file = BufWriter::new(File::create_new(&path).map_err(failed)?);
    let mut statement = db.prepare(&format!("SELECT * FROM {name}"))?;
    let columns: Vec<String> = statement.column_names().map(String::from).collect();
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let line = Value::Object(fields(row, name, &columns)?);
        writeln!(file, "{line}").map_err(failed)?;
        count += 1;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(count)
}

fn fields(row: &Row<'_>, table: &str, columns: &[String]) -> Result<Map<String, Value>, LedgerError> {
    let mut fields = Map::new();
    for (at, column) in columns.iter().enumerate() {
        // Of numbers that the ledger keeps about itself the name is no secret.
        if table != "meta" && KEPT_BACK.contains(&column.as_str()) {
            continue;
        }
        fields.insert(column.clone(), value(row.get_ref(at)?, table)?);
    }
    Ok(fields)
}

fn value(value: ValueRef<'_>, table: &str) -> Result<Value, LedgerError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        // Records of the audit log hold no texts of people, and must stay as they were hashed.
        ValueRef::Text(text) if table == "audit" => String::from_utf8_lossy(text).into(),
        ValueRef::Text(text) => without_private(&String::from_utf8_lossy(text)).into(),
        ValueRef::Blob(blob) if table == "signal_commands" => commands(blob)?,
        ValueRef::Blob(blob) => blob.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    })
}

fn commands(blob: &[u8]) -> Result<Value, LedgerError> {
    let commands: Vec<SignalCommand> =
        postcard::from_bytes(blob).map_err(|error| LedgerError::Corrupt(error.to_string()))?;
    serde_json::to_value(commands).map_err(|error| LedgerError::Corrupt(error.to_string()))
}
