//! What the engine had seen when it decided what the chain tells of: a digest of all that the door took, tick by tick, which a
//! recording either gives again or does not.

use std::fmt;
use std::iter::Peekable;

use blake3::Hasher;
use nanming_dataflows::Time;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::verify::Finding;
use super::{Digest, Head, Kind, LedgerError, digest_of_text, of_kind, text};
use crate::door::{FORM, Taken, TickRecord};
use crate::ledger::text::unsigned;

/// Without a call or another reason to write, a record is written after so much of city time at the latest, ms, ...
const LONGEST_MS: u64 = 60_000;
/// ... and not before, where commands to signals are written anyway.
const SHORTEST_MS: u64 = 10_000;

/// The ticks since the last record of this kind, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ledger) struct Stretch {
    /// By which rule the digests are made.
    form: u32,
    /// Whether an engine started with the first of them.
    starts: bool,
    /// The ticks are later than this one. None: there was none yet.
    after: Option<Time>,
    /// The last of them: that of the record.
    #[serde(skip)]
    until: Time,
    ticks: u64,
    events: u64,
    /// Zeros at first; then BLAKE3 over the one before and the digest of the next tick.
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    digest: Digest,
}

fn to_text<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    text(digest).serialize(to)
}

fn from_text<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
    digest_of_text(&String::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("it is no digest"))
}

impl Stretch {
    pub(in crate::ledger) fn absorb(&mut self, record: &TickRecord) {
        let Some(taken) = record.taken else { return };
        self.starts |= self.after.is_none();
        self.after = self.after.or(Some(record.tick.saturating_sub(1)));
        self.take(record.tick, taken);
    }

    fn take(&mut self, tick: Time, Taken { events, digest }: Taken) {
        (self.until, self.ticks, self.events) = (tick, self.ticks + 1, self.events + events);
        self.digest = Hasher::new().update(&self.digest).update(&digest).finalize().into();
    }

    fn lasts_ms(&self) -> u64 {
        self.until.saturating_sub(self.after.unwrap_or(self.until))
    }

    /// Whether it must not wait for something else that is written.
    pub(in crate::ledger) fn is_due(&self) -> bool {
        self.lasts_ms() >= LONGEST_MS
    }

    /// Whether it goes with a transaction that holds a tick's record, or none.
    pub(in crate::ledger) fn goes_with(&self, has_tick: bool) -> bool {
        has_tick || self.lasts_ms() >= SHORTEST_MS
    }

    /// Puts it behind the chain, and begins the next. The last tick that the chain tells of.
    pub(in crate::ledger) fn append(
        &mut self,
        to: &Transaction<'_>,
        head: &mut Head,
    ) -> Result<Option<Time>, LedgerError> {
        if self.ticks == 0 {
            return Ok(None);
        }
        let until = self.until;
        head.append(to, until, Kind::Taken, &Stretch { form: FORM, ..*self })?;
        *self = Stretch { after: Some(until), ..Stretch::default() };
        Ok(Some(until))
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
    pub taken: Taken,
}

/// How much of the chain agrees with a recording, and the recording with the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Records that do.
    pub records: u64,
    /// Events that they are of.
    pub events: u64,
    /// Records of ticks that are not all in the recording, and of which what is there says nothing else.
    pub unrecorded: u64,
    /// Records of another version, whose digests are made by another rule.
    pub foreign: u64,
    /// Ticks of the recording that no record vouches for, and events in them.
    pub unvouched: (u64, u64),
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replayed { records, events, unrecorded, foreign, unvouched: (ticks, more) } = self;
        write!(f, "{records} records agree with the recording ({events} events)")?;
        if *unrecorded > 0 {
            write!(f, "; {unrecorded} are of ticks that are not all in it")?;
        }
        if *foreign > 0 {
            write!(f, "; {foreign} are of another version, which is to check them")?;
        }
        if *ticks > 0 {
            write!(f, "; for {ticks} ticks of the recording ({more} events) no record vouches")?;
        }
        Ok(())
    }
}

/// Holds the chain's records of what was taken against the ticks of a recording, in order; `span` is its first and its last tick.
/// The first that does not agree is named, and how many more do not.
pub fn replay<E: From<LedgerError>>(
    db: &Connection,
    ticks: impl Iterator<Item = Result<Played, E>>,
    span: (Time, Time),
) -> Result<Result<Replayed, Finding>, E> {
    let (mut ticks, mut replayed) = (ticks.peekable(), Replayed::default());
    let mut found: Option<Finding> = None;
    for record in of_kind(db, Kind::Taken.word())? {
        let verdict = match serde_json::from_slice::<Stretch>(&record.body) {
            Ok(told) if told.form != FORM => {
                replayed.foreign += 1;
                Ok(())
            }
            Ok(told) => replayed.hold(&Stretch { until: unsigned(record.tick), ..told }, &mut ticks, span)?,
            Err(error) => Err(format!("it cannot be read: {error}")),
        };
        if let Err(what) = verdict {
            match &mut found {
                Some(first) => first.more += 1,
                None => found = Some(Finding { seq: Some(record.seq), what, more: 0 }),
            }
        }
    }
    ticks.try_for_each(|played| played.map(|played| replayed.pass(&played)))?;
    Ok(found.map_or(Ok(replayed), Err))
}

impl Replayed {
    /// A tick that no record tells of.
    fn pass(&mut self, played: &Played) {
        self.unvouched = (self.unvouched.0 + 1, self.unvouched.1 + played.taken.events);
    }

    fn hold<E>(
        &mut self,
        told: &Stretch,
        ticks: &mut Peekable<impl Iterator<Item = Result<Played, E>>>,
        span: (Time, Time),
    ) -> Result<Result<(), String>, E> {
        let (after, until) = (told.after.unwrap_or_default(), told.until);
        if after.saturating_add(1) < span.0 || until > span.1 {
            self.unrecorded += 1;
            return Ok(Ok(()));
        }
        let seen = self.between(ticks, (after, until))?;
        let (stretch, missing) = (seen.stretch, told.ticks.saturating_sub(seen.stretch.ticks));
        let range = format!("from {} to {until}", after.saturating_add(1));
        Ok(if seen.starts_later || (missing == 0 && stretch.starts != told.starts) {
            Err(format!("the recording has an engine start {range} where none did, or go on where one started"))
        } else if (stretch.ticks, stretch.events, stretch.digest) == (told.ticks, told.events, told.digest) {
            (self.records, self.events) = (self.records + 1, self.events + told.events);
            Ok(())
        } else if missing > 0 && stretch.events <= told.events && seen.may_lack.is_none_or(|most| missing <= most) {
            self.unrecorded += 1;
            Ok(())
        } else {
            let (ticks, events) = (stretch.ticks, stretch.events);
            Err(format!(
                "the recording has {ticks} ticks with {events} events {range}, where {} with {} were taken, or others",
                told.ticks, told.events
            ))
        })
    }

    /// The ticks after one until another.
    fn between<E>(
        &mut self,
        ticks: &mut Peekable<impl Iterator<Item = Result<Played, E>>>,
        (after, until): (Time, Time),
    ) -> Result<Seen, E> {
        let mut seen = Seen { stretch: Stretch::default(), starts_later: false, may_lack: Some(0) };
        let lack = |seen: &mut Seen, more: u32| seen.may_lack = seen.may_lack.map(|most| most + u64::from(more));
        while let Some(next) = ticks.next_if(|next| next.as_ref().map_or(true, |next| next.tick <= until)) {
            let next = next?;
            if next.tick <= after {
                self.pass(&next);
                continue;
            }
            match seen.stretch.ticks {
                0 => seen.stretch.starts = next.starts,
                _ => seen.starts_later |= next.starts,
            }
            lack(&mut seen, next.left_out);
            seen.stretch.take(next.tick, next.taken);
        }
        match ticks.peek() {
            Some(Ok(next)) if seen.stretch.until < until => {
                lack(&mut seen, next.left_out);
                // The last second of an engine that was killed was not on the disk yet.
                seen.may_lack = seen.may_lack.filter(|_| !next.starts);
            }
            _ => {}
        }
        Ok(seen)
    }
}

/// What a recording has of some ticks.
struct Seen {
    stretch: Stretch,
    /// Whether an engine started with another than the first.
    starts_later: bool,
    /// So many of them may be missing; none: any number.
    may_lack: Option<u64>,
}
