//! The audit log: what people did and the engine decided, as a chain of hashes in the ledger's own file.
//!
//! Each record is one line of JSON with the hash of all that was before it in its own. It is written in the transaction of
//! the tick that it tells of: there is no decision in the book without its record, and no record of what is not in the book.
//! Besides who did what, a record holds the digest of each row that the tick wrote, as it is in the tables: so a row that is
//! changed, removed or put in later does not agree with the chain.
//!
//! - Whoever can write the file can also write a chain of its own from some record on. What was exported before shows it:
//!   the daily roots ([`roots`]), kept where that one cannot write.
//! - It knows no words of callers, no places, no names of persons of rosters: digests stand for them. What retention removes
//!   from the tables is not here, and a record of its own says what was removed ([`super::prune`]).
//! - Sensor events are counted and hashed, not held: a recording has them, and either gives the same hash or does not
//!   ([`taken`]).

use blake3::Hasher;
use nanming_dataflows::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;

use super::LedgerError;
use super::text::{int, to_json, unsigned};

mod merkle;
pub mod roots;
pub(super) mod rows;
pub mod taken;
pub(super) mod told;
pub mod verify;

/// A BLAKE3 hash.
pub type Digest = [u8; 32];

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An engine took the ledger over.
    Start,
    /// Rows of the time before there was a chain.
    Adopted,
    /// A tick.
    Tick,
    /// Commands to signals.
    Signals,
    /// All that the door took since the last of these.
    Taken,
    /// What was removed because it was old.
    Prune,
    /// A vehicle was looked up, or that was asked for or approved.
    Lookup,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Start => "start",
            Kind::Adopted => "adopted",
            Kind::Tick => "tick",
            Kind::Signals => "signals",
            Kind::Taken => "taken",
            Kind::Prune => "prune",
            Kind::Lookup => "lookup",
        }
    }
}

/// A record as it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1.
    pub seq: i64,
    /// City time of the tick that it tells of, ms.
    pub tick: i64,
    /// What it tells of.
    pub kind: Vec<u8>,
    /// JSON.
    pub body: Vec<u8>,
    /// Over all this and the record before.
    pub hash: Vec<u8>,
}

impl Record {
    fn read(row: &Row<'_>) -> rusqlite::Result<Record> {
        let bytes = |column| -> rusqlite::Result<Vec<u8>> {
            let value = row.get_ref(column)?;
            Ok(value.as_bytes().unwrap_or_default().to_vec())
        };
        Ok(Record { seq: row.get(0)?, tick: row.get(1)?, kind: bytes(2)?, body: bytes(3)?, hash: bytes(4)? })
    }

    /// The hash that it should have after `before`.
    fn expected(&self, before: &Digest) -> Digest {
        hash(before, self.seq, self.tick, &self.kind, &self.body)
    }

    /// Whether its JSON names this call.
    fn is_of(&self, call: i64) -> bool {
        serde_json::from_slice(&self.body).is_ok_and(|body| names(&body, call))
    }

    /// As one line: number, city time, kind, JSON.
    pub fn line(&self) -> String {
        let text = String::from_utf8_lossy;
        format!("{} {} {} {}", self.seq, self.tick, text(&self.kind), text(&self.body))
    }
}

/// Whether some part of a record is about a call: by a field of its name, or among the calls that were removed.
fn names(part: &serde_json::Value, call: i64) -> bool {
    match part {
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| match name.as_str() {
            "call" | "into" => value.as_i64() == Some(call),
            "calls" => value.as_array().is_some_and(|calls| calls.iter().any(|c| c.as_i64() == Some(call))),
            "rows" => value.as_array().is_some_and(|rows| rows.iter().any(|row| row[0] == "call" && row[1] == call)),
            _ => names(value, call),
        }),
        serde_json::Value::Array(parts) => parts.iter().any(|part| names(part, call)),
        _ => false,
    }
}

fn hash(before: &Digest, seq: i64, tick: i64, kind: &[u8], body: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"nanming audit 1").update(before);
    hasher.update(&seq.to_le_bytes()).update(&tick.to_le_bytes());
    hasher.update(&(kind.len() as u64).to_le_bytes()).update(kind);
    // By its own digest, so that the hashes can be checked where the text is not told.
    hasher.update(blake3::hash(body).as_bytes());
    hasher.finalize().into()
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Records so far.
    pub seq: i64,
    /// Hash of the last one; zeros before the first.
    pub hash: Digest,
}

impl Head {
    /// The last record that there is.
    pub(super) fn of(db: &Connection) -> Result<Head, LedgerError> {
        let mut statement = db.prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?;
        let last = statement.query_row([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)));
        let Some((seq, hash)) = last.optional()? else { return Ok(Head::default()) };
        // One of another length agrees with no record to come: verification finds it.
        Ok(Head { seq, hash: digest_of(&hash).unwrap_or_default() })
    }

    /// The last record that there is, where `known` was the last: others may have put some behind it, and nobody may have
    /// taken it out. A chain that was cut goes on after what was cut, so that it is missed.
    pub(super) fn after(db: &Connection, known: Head) -> Result<Head, LedgerError> {
        let head = Head::of(db)?;
        if head.seq < known.seq {
            tracing::error!("records of the audit log were removed while it is in use: run nanming audit verify");
            return Ok(known);
        }
        Ok(head)
    }

    /// Puts a record behind the last.
    pub(super) fn append(
        &mut self,
        to: &Transaction<'_>,
        tick: Time,
        kind: Kind,
        body: &impl Serialize,
    ) -> Result<(), LedgerError> {
        let (seq, tick, kind, body) = (self.seq + 1, int(tick), kind.word(), to_json(body)?);
        let hash = hash(&self.hash, seq, tick, kind.as_bytes(), body.as_bytes());
        to.prepare_cached("INSERT INTO audit VALUES (?, ?, ?, ?, ?)")?.execute(params![
            seq,
            tick,
            kind,
            body,
            hash.as_slice()
        ])?;
        *self = Head { seq, hash };
        Ok(())
    }

    /// Notes in the ledger where the chain ends: once for each transaction, on a page that it writes anyway.
    pub(super) fn note(&self, to: &Transaction<'_>) -> Result<(), LedgerError> {
        let mut statement = to.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?;
        statement.execute(params!["audit_seq", self.seq])?;
        statement.execute(params!["audit_hash", self.short()])?;
        Ok(())
    }

    /// As it is noted: the number of records, and the beginning of the last one's hash.
    fn noted(db: &Connection) -> Result<Option<(i64, i64)>, LedgerError> {
        let value = |key: &str| {
            db.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get::<_, i64>(0)).optional()
        };
        Ok(value("audit_seq")?.zip(value("audit_hash")?))
    }

    fn short(&self) -> i64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.hash[..8]);
        i64::from_le_bytes(first)
    }

    /// Whether the chain ends where the ledger says, which it always does.
    fn agrees(&self, db: &Connection) -> Result<bool, LedgerError> {
        Ok(Head::noted(db)? == Some((self.seq, self.short())))
    }
}

/// What a start says.
#[derive(Serialize)]
struct Started {
    version: &'static str,
    /// Fingerprint of the city's grids and units.
    city: i64,
    /// Whether the chain ended where the ledger said that it does.
    intact: bool,
}

/// Begins the chain of a ledger that has none: with what the tables hold, if they hold anything.
pub(super) fn adopt(db: &mut Connection) -> Result<(), LedgerError> {
    if Head::of(db)?.seq > 0 {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut head = Head::of(&transaction)?;
    if head.seq == 0 && head.agrees(&transaction)? {
        let tick = last_tick(&transaction)?;
        rows::adopt(&transaction, &mut head, tick)?;
        head.note(&transaction)?;
    }
    Ok(transaction.commit()?)
}

/// Takes the chain up: rows that it does not know yet are adopted, and the start is noted. A chain that was cut is gone on
/// with, for calls have to be taken; its record says so.
pub(super) fn start(db: &mut Connection, city: i64) -> Result<Head, LedgerError> {
    adopt(db)?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut head = Head::of(&transaction)?;
    let intact = head.agrees(&transaction)?;
    if !intact {
        tracing::error!("the end of the audit log is not what the ledger says: run nanming audit verify");
    }
    let started = Started { version: env!("CARGO_PKG_VERSION"), city, intact };
    head.append(&transaction, last_tick(&transaction)?, Kind::Start, &started)?;
    head.note(&transaction)?;
    transaction.commit()?;
    Ok(head)
}

/// The last tick that the ledger notes, 0 before the first.
pub(super) fn last_tick(db: &Connection) -> Result<Time, LedgerError> {
    let tick: Option<i64> =
        db.query_row("SELECT value FROM meta WHERE key = 'last_tick'", [], |row| row.get(0)).optional()?;
    Ok(unsigned(tick.unwrap_or(0)))
}

/// The records of a call, oldest first.
pub fn of_call(db: &Connection, call: u64) -> Result<Vec<Record>, LedgerError> {
    let digits = call.to_string();
    let mut statement =
        db.prepare("SELECT seq, tick, kind, body, hash FROM audit WHERE instr(body, ?) ORDER BY seq")?;
    let mut rows = statement.query([digits])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let record = Record::read(row)?;
        if record.is_of(int(call)) {
            found.push(record);
        }
    }
    Ok(found)
}

/// The records of a kind, oldest first.
pub fn of_kind(db: &Connection, kind: &str) -> Result<Vec<Record>, LedgerError> {
    let mut statement = db.prepare("SELECT seq, tick, kind, body, hash FROM audit WHERE kind = ? ORDER BY seq")?;
    Ok(statement.query_map([kind], Record::read)?.collect::<Result<_, _>>()?)
}

/// 43 characters of base64 (URL alphabet, not padded).
fn text(digest: &Digest) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

fn digest_of_text(text: &str) -> Option<Digest> {
    use base64::Engine;
    digest_of(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?)
}

fn digest_of(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests;
