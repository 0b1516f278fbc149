//! Walks the chain, holds it against what was exported before, and the tables against it.

use std::collections::BTreeMap;
use std::fmt;

use blake3::Hasher;
use rusqlite::Connection;
use serde::Deserialize;

use super::rows::{CALLS, SIGNALS, Seal, TABLES, Table};
use super::{Digest, Head, LedgerError, Record, digest_of_text, merkle, roots};
use crate::ledger::prune::Pruned;

/// What agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Records of the chain.
    pub records: i64,
    /// Rows of the tables that it vouches for.
    pub rows: usize,
    /// Lines of exported roots.
    pub anchors: usize,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { records, rows, anchors } = self;
        write!(f, "{records} records, {rows} rows and {anchors} exported roots agree")
    }
}

/// The first thing that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record that shows it: for a row that which told of it last. None: no record tells of it.
    pub seq: Option<i64>,
    /// What is wrong.
    pub what: String,
    /// So many more rows do not agree.
    pub more: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "record {seq}: {}", self.what)?,
            None => f.write_str(&self.what)?,
        }
        if self.more > 0 { write!(f, "; {} more do not agree", self.more) } else { Ok(()) }
    }
}

/// Whether all agrees: within a record, record with record, the last with what the ledger says, the chain with `anchors`,
/// the tables with the chain. All is read as it is at one moment, also beside a running engine.
pub fn verify(db: &Connection, anchors: &[roots::Line]) -> Result<Result<Checked, Finding>, LedgerError> {
    let moment = db.unchecked_transaction()?;
    of_one_writer(&moment, anchors)
}

/// The same where nobody else writes meanwhile, within a transaction of the caller's too.
pub fn of_one_writer(db: &Connection, anchors: &[roots::Line]) -> Result<Result<Checked, Finding>, LedgerError> {
    let walked = Walked::through(db)?;
    let checked = walked.and_then(|walked| {
        walked.holds_anchors(anchors)?;
        Ok(walked)
    });
    let walked = match checked {
        Ok(walked) => walked,
        Err(finding) => return Ok(Err(finding)),
    };
    if !walked.head.agrees(db)? {
        return Ok(Err(finding(
            Some(walked.head.seq),
            "it is the last one, and the ledger says otherwise: records after it were removed, or it was put in",
        )));
    }
    let (records, anchors) = (walked.head.seq, anchors.len());
    Ok(walked.book.against(db)?.map(|rows| Checked { records, rows, anchors }))
}

fn finding(seq: Option<i64>, what: impl Into<String>) -> Finding {
    Finding { seq, what: what.into(), more: 0 }
}

/// The chain from its first record to its last.
struct Walked {
    head: Head,
    hashes: Vec<Digest>,
    book: Expected,
}

impl Walked {
    fn through(db: &Connection) -> Result<Result<Walked, Finding>, LedgerError> {
        let mut walked = Walked { head: Head::default(), hashes: Vec::new(), book: Expected::default() };
        let mut statement = db.prepare("SELECT seq, tick, kind, body, hash FROM audit ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(finding) = walked.step(&Record::read(row)?) {
                return Ok(Err(finding));
            }
        }
        Ok(Ok(walked))
    }

    fn step(&mut self, record: &Record) -> Result<(), Finding> {
        let seq = self.head.seq + 1;
        if record.seq != seq {
            return Err(finding(Some(seq), format!("it is missing: after it comes {}", record.seq)));
        }
        let hash = record.expected(&self.head.hash);
        if record.hash != hash {
            return Err(finding(
                Some(seq),
                "its hash is not that of what it says after the record before: it was altered",
            ));
        }
        self.head = Head { seq, hash };
        self.hashes.push(hash);
        let told: Told = serde_json::from_slice(&record.body)
            .map_err(|error| finding(Some(seq), format!("it cannot be read: {error}")))?;
        self.book.take(seq, told)
    }

    fn holds_anchors(&self, anchors: &[roots::Line]) -> Result<(), Finding> {
        anchors.iter().try_for_each(|line| {
            let range = usize::try_from(line.first - 1).ok().zip(usize::try_from(line.last).ok());
            let Some(hashes) = range.and_then(|(first, last)| self.hashes.get(first..last)) else {
                let what = format!("the root of {} covers records up to {}: those are gone", line.day, line.last);
                return Err(finding(Some(self.head.seq + 1), what));
            };
            if merkle::root(hashes) == line.root {
                return Ok(());
            }
            let what = format!(
                "the root exported for {} is not that of records {} to {}: some were rewritten",
                line.day, line.first, line.last
            );
            Err(finding(Some(line.first), what))
        })
    }
}

/// What of a record says how the tables are.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    rows: Vec<(String, i64, i64, String)>,
    #[serde(default)]
    expired_before_ms: Option<i64>,
    #[serde(default)]
    pruned: Option<Pruned>,
}

/// Row of the table in [`TABLES`], and the key in it.
type Key = (usize, i64, i64);

/// Digest of what a key has, and the record that told of it last.
#[derive(Clone, Copy)]
struct Held {
    digest: Digest,
    seq: i64,
}

/// The tables as the chain says that they are.
#[derive(Default)]
struct Expected {
    held: BTreeMap<Key, Held>,
}

impl Expected {
    fn take(&mut self, seq: i64, told: Told) -> Result<(), Finding> {
        for (word, first, second, digest) in told.rows {
            let table = Table::row_of(&word).zip(digest_of_text(&digest));
            let Some((row, digest)) = table else {
                return Err(finding(Some(seq), format!("it tells of '{word}', which this version does not know")));
            };
            let key = (row, first, second);
            let before = self.held.get(&key).map(|held| held.digest).filter(|_| TABLES[row].grows);
            self.held.insert(key, Held { digest: before.map_or(digest, |before| joined(&before, &digest)), seq });
        }
        if let Some(before_ms) = told.expired_before_ms {
            self.expire(before_ms);
        }
        if let Some(pruned) = told.pruned {
            self.prune(&pruned);
        }
        Ok(())
    }

    fn expire(&mut self, before_ms: i64) {
        self.remove(&SIGNALS, i64::MIN, before_ms);
    }

    fn prune(&mut self, pruned: &Pruned) {
        for table in TABLES {
            let keys: &[i64] = match table.word {
                "call" | "history" | "assignment" | "escalation" | "ack" => &pruned.calls,
                "task" | "task_history" => &pruned.tasks,
                _ => &[],
            };
            keys.iter().for_each(|key| self.remove(table, *key, key.saturating_add(1)));
        }
        let holds = Table::row_of("hold").unwrap_or_default();
        pruned.holds.iter().for_each(|(junction, time_ms)| {
            self.held.remove(&(holds, *junction, *time_ms));
        });
        self.expire(pruned.signals_before_ms);
    }

    /// Forgets keys of a table whose first number is in `from..until`.
    fn remove(&mut self, table: &Table, from: i64, until: i64) {
        let row = Table::row_of(table.word).unwrap_or_default();
        let first = |held: &BTreeMap<Key, Held>| {
            held.range((row, from, i64::MIN)..(row, until, i64::MIN)).next().map(|(key, _)| *key)
        };
        while let Some(key) = first(&self.held) {
            self.held.remove(&key);
        }
    }

    /// How many rows the tables have that agree, or the first that does not.
    fn against(mut self, db: &Connection) -> Result<Result<usize, Finding>, LedgerError> {
        let (mut count, mut found) = (0, Vec::new());
        for (row, table) in TABLES.into_iter().enumerate() {
            let mut there: BTreeMap<(i64, i64), Digest> = BTreeMap::new();
            table.seals(db, "", [], |Seal { key, digest, .. }| {
                count += 1;
                let before = there.get(&key).filter(|_| table.grows);
                let digest = before.map_or(digest, |before| joined(before, &digest));
                there.insert(key, digest);
                Ok(())
            })?;
            for (key, digest) in there {
                match self.held.remove(&(row, key.0, key.1)) {
                    Some(held) if held.digest == digest => {}
                    Some(held) => found.push((held.seq, format!("{} were changed since", told(table, key)))),
                    None => found.push((i64::MAX, format!("no record tells of {}", told(table, key)))),
                }
            }
        }
        let gone = self.held.iter().map(|((row, first, second), held)| {
            (held.seq, format!("{} were removed since, and no record says so", told(TABLES[*row], (*first, *second))))
        });
        found.extend(gone);
        found.sort_unstable();
        let more = found.len().saturating_sub(1);
        Ok(match found.into_iter().next() {
            None => Ok(count),
            Some((seq, what)) => Err(Finding { seq: Some(seq).filter(|seq| *seq < i64::MAX), what, more }),
        })
    }
}

/// Rows that follow each other.
fn joined(before: &Digest, next: &Digest) -> Digest {
    Hasher::new().update(before).update(next).finalize().into()
}

/// Rows of a table in words.
fn told(table: &Table, (first, second): (i64, i64)) -> String {
    let key = if table.word == CALLS.word || second == 0 { format!("{first}") } else { format!("{first}, {second}") };
    format!("the rows of {} with key {key}", table.name)
}
