//! What the engine had seen when it decided what the chain tells of: digests of all that passed the door, which a recording
//! either gives again or does not.

use std::fmt;
use std::iter::Peekable;

use blake3::Hasher;
use nanming_dataflows::Time;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::verify::Finding;
use super::{Digest, Head, Kind, LedgerError, Record, digest_of_text, text};
use crate::door::{Taken, TickRecord};
use crate::ledger::text::unsigned;

/// The ticks since the last record of this kind, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ledger) struct Inputs {
    /// The ticks are later than this one. None: there was none yet.
    after: Option<Time>,
    /// The last of them: that of the record.
    #[serde(skip)]
    until: Time,
    /// So many of them held events.
    ticks: u64,
    events: u64,
    /// Zeros at first; then BLAKE3 over the one before and the digest of the next tick that holds events.
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    digest: Digest,
}

fn to_text<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    text(digest).serialize(to)
}

fn from_text<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
    digest_of_text(&String::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("it is no digest"))
}

impl Inputs {
    pub(in crate::ledger) fn absorb(&mut self, record: &TickRecord) {
        self.after = self.after.or(Some(record.tick.saturating_sub(1)));
        self.until = record.tick;
        self.take(record.taken);
    }

    fn take(&mut self, taken: Option<Taken>) {
        let Some(Taken { events, digest }) = taken else { return };
        self.ticks += 1;
        self.events += events;
        self.digest = Hasher::new().update(&self.digest).update(&digest).finalize().into();
    }

    /// Puts what was taken behind the chain, if anything was; the next begins after that.
    pub(in crate::ledger) fn append(&mut self, to: &Transaction<'_>, head: &mut Head) -> Result<(), LedgerError> {
        if self.ticks > 0 {
            head.append(to, self.until, Kind::Inputs, self)?;
            *self = Inputs { after: Some(self.until), ..Inputs::default() };
        }
        Ok(())
    }

    fn agrees(&self, other: &Inputs) -> bool {
        (self.ticks, self.events, self.digest) == (other.ticks, other.events, other.digest)
    }
}

/// A tick of a recording.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    /// The tick.
    pub tick: Time,
    /// Ticks before it that are not in the recording.
    pub left_out: u32,
    /// Whether an engine started with it.
    pub starts: bool,
    /// What it took.
    pub taken: Option<Taken>,
}

/// How much of the chain agrees with a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Records that do.
    pub records: u64,
    /// Events that they are of.
    pub events: u64,
    /// Records of ticks that are not all in the recording.
    pub unrecorded: u64,
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replayed { records, events, unrecorded } = self;
        write!(f, "{records} records of inputs agree with the recording ({events} events)")?;
        if *unrecorded > 0 {
            write!(f, "; {unrecorded} are of ticks that are not in it")?;
        }
        Ok(())
    }
}

/// Holds the chain's records of inputs against the ticks of a recording, in order; `span` is its first and its last tick.
pub fn replay<E: From<LedgerError>>(
    db: &Connection,
    ticks: impl Iterator<Item = Result<Played, E>>,
    span: (Time, Time),
) -> Result<Result<Replayed, Finding>, E> {
    let (mut ticks, mut replayed) = (ticks.peekable(), Replayed::default());
    let sqlite = |error| E::from(LedgerError::Sqlite(error));
    let mut statement =
        db.prepare("SELECT seq, tick, kind, body, hash FROM audit WHERE kind = ? ORDER BY seq").map_err(sqlite)?;
    let mut rows = statement.query([Kind::Inputs.word()]).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let record = Record::read(row).map_err(sqlite)?;
        let finding = |what: String| Ok(Err(Finding { seq: Some(record.seq), what, more: 0 }));
        let told: Inputs = match serde_json::from_slice(&record.body) {
            Ok(told) => told,
            Err(error) => return finding(format!("it cannot be read: {error}")),
        };
        let (after, until) = (told.after.unwrap_or_default(), unsigned(record.tick));
        if after + 1 < span.0 || until > span.1 {
            replayed.unrecorded += 1;
            continue;
        }
        let Some(seen) = between(&mut ticks, after, until)? else {
            replayed.unrecorded += 1;
            continue;
        };
        if !seen.agrees(&told) {
            return finding(format!(
                "the recording has {} events in {} ticks from {} to {until} where it has {} in {}, or others",
                seen.events,
                seen.ticks,
                after + 1,
                told.events,
                told.ticks
            ));
        }
        replayed.records += 1;
        replayed.events += told.events;
    }
    Ok(Ok(replayed))
}

/// The ticks after one until another. None: some were left out, or an engine was killed before they were on the disk.
fn between<E>(
    ticks: &mut Peekable<impl Iterator<Item = Result<Played, E>>>,
    after: Time,
    until: Time,
) -> Result<Option<Inputs>, E> {
    let (mut seen, mut is_whole) = (Inputs::default(), true);
    while let Some(next) = ticks.next_if(|next| next.as_ref().map_or(true, |next| next.tick <= until)) {
        let next = next?;
        if next.tick > after {
            is_whole &= next.left_out == 0;
            seen.until = next.tick;
            seen.take(next.taken);
        }
    }
    if let Some(Ok(next)) = ticks.peek() {
        is_whole &= next.left_out == 0 && (seen.until == until || !next.starts);
    }
    Ok(is_whole.then_some(seen))
}
