//! The columns of a segment, and what its header tells.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};

/// The version of the format that is written and read.
pub(super) const VERSION: u32 = 1;
/// Nodes that a block of these columns has in Arrow's metadata, and the widths of what its buffers hold, bytes: of each
/// column what is missing, then offsets or values.
pub(super) const NODES: usize = 11;
pub(super) const WIDTHS: [usize; 22] = [1, 8, 1, 4, 1, 4, 1, 1, 8, 1, 4, 1, 8, 1, 4, 1, 1, 1, 4, 1, 4, 1];

/// Columns of a passage.
pub(super) static PASSAGE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("time", time(), false),
        Field::new("camera", DataType::UInt32, false),
        Field::new("vehicle", DataType::UInt64, false),
        Field::new("speed_mm_s", DataType::UInt32, false),
        Field::new("class", DataType::UInt8, false),
    ])
});

/// What the list of passages and that of other events are made of.
pub(super) static PASSAGES: LazyLock<Arc<Field>> =
    LazyLock::new(|| Arc::new(Field::new("item", DataType::Struct(PASSAGE.clone()), false)));
pub(super) static EVENTS: LazyLock<Arc<Field>> = LazyLock::new(|| Arc::new(Field::new("item", DataType::Utf8, false)));

/// A row is a tick: passages as columns of their own, events of all other streams as JSON.
pub(super) static COLUMNS: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("tick", time(), false),
        Field::new("left_out", DataType::UInt32, false),
        Field::new("passages", DataType::List(PASSAGES.clone()), false),
        Field::new("events", DataType::List(EVENTS.clone()), false),
    ]))
});

/// Milliseconds since the Unix epoch.
fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// What a segment tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Name of its city.
    pub city: String,
    /// What the numbers in it stand for: see [`fingerprint`](super::fingerprint).
    pub fingerprint: String,
    /// Where it comes from, such as `nanming run 0.1.0`.
    pub origin: String,
    /// Whether an engine started with its first tick.
    pub starts: bool,
}

/// Keys of the metadata.
const KEYS: [&str; 5] = ["nanming.version", "nanming.city", "nanming.fingerprint", "nanming.origin", "nanming.starts"];

impl Header {
    /// The columns, with the header as their metadata.
    pub(super) fn to_schema(&self) -> Schema {
        let starts = self.starts.to_string();
        let values = [VERSION.to_string(), self.city.clone(), self.fingerprint.clone(), self.origin.clone(), starts];
        let metadata = KEYS.into_iter().map(str::to_owned).zip(values).collect::<HashMap<_, _>>();
        COLUMNS.as_ref().clone().with_metadata(metadata)
    }

    /// Back again. `Err(Ok(version))`: of another version; `Err(Err(what))`: no header of a recording.
    pub(super) fn of_schema(schema: &Schema) -> Result<Header, Result<String, String>> {
        let value = |row: usize| {
            schema.metadata().get(KEYS[row]).cloned().ok_or_else(|| Err(format!("its metadata have no {}", KEYS[row])))
        };
        let version = value(0)?;
        if version != VERSION.to_string() {
            return Err(Ok(version));
        }
        if schema.fields() != COLUMNS.fields() {
            return Err(Err("its columns are others".into()));
        }
        Ok(Header { city: value(1)?, fingerprint: value(2)?, origin: value(3)?, starts: value(4)? == "true" })
    }
}
