//! Enumerations as the words that the API uses for them, and numbers as SQLite takes them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LedgerError;

/// The word of a unit variant, such as `on_the_way`.
pub(super) fn word<T: Serialize>(variant: &T) -> Result<String, LedgerError> {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(LedgerError::Corrupt(format!("{other:?} is not a word"))),
    }
}

/// The variant of a word.
pub(super) fn variant<T: DeserializeOwned>(word: &str) -> Result<T, LedgerError> {
    serde_json::from_value(serde_json::Value::String(word.into()))
        .map_err(|error| LedgerError::Corrupt(format!("'{word}': {error}")))
}

/// What JSON in a column says.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| LedgerError::Corrupt(format!("'{text}': {error}")))
}

/// As JSON for a column.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Corrupt(error.to_string()))
}

/// An unsigned number in SQLite's only integer type. Call IDs and times are checked to fit at the door.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back again; never negative in what we write.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
