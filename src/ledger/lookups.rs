//! Looking one vehicle up: somebody asks, with the number of a case; somebody else approves; only then is it told, to who
//! asked and for a day. Each step is a record of the audit log, and the log is where the steps are kept: there is no way to be
//! told that leaves no trace. The clear plate is in none of them.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::audit::{self, Head, Kind};
use super::{LedgerError, open_beside};
use crate::ingest::is_private;

/// An approval holds for so long, ms.
pub const HOLDS_MS: u64 = 24 * 3_600_000;
/// Longest name or case number, bytes.
const MAX_WORD: usize = 100;

/// Why a vehicle is not looked up.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The ledger does not work.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A name or the case number is missing or too long.
    #[error(
        "{0} is needed, of at most {MAX_WORD} bytes, without a plate or telephone number in it: it stays in the audit log"
    )]
    Word(&'static str),
    /// No plate gives a pseudonym, or the span is empty.
    #[error("{0}")]
    Nothing(&'static str),
    /// No request has this number.
    #[error("there is no request {0}; `nanming audit show --kind lookup` lists them")]
    Unknown(i64),
    /// Who asked cannot approve.
    #[error("request {0} is {1}'s own: a second person has to approve it")]
    SamePerson(i64, String),
    /// It is somebody else's.
    #[error("request {0} was made by {1}, who alone is told the result")]
    NotYours(i64, String),
    /// Nobody has approved it.
    #[error("request {0} is not approved yet: a second person runs `nanming lookup approve {0} --by NAME`")]
    NotApproved(i64),
    /// It was approved too long ago.
    #[error("the approval of request {0} has expired: ask again")]
    Expired(i64),
}

impl From<rusqlite::Error> for LookupError {
    fn from(error: rusqlite::Error) -> LookupError {
        LookupError::Ledger(error.into())
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The case that it is for.
    pub case: String,
    /// Who asks.
    pub by: String,
    /// Pseudonyms of the vehicle, one for each key of plates.
    pub vehicles: Vec<u64>,
    /// From when on, ms.
    pub from_ms: u64,
    /// Until when, ms.
    pub until_ms: u64,
}

/// A step as the audit log has it; `wall_ms` is the time by the machine's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Step {
    Requested { asked: Asked, wall_ms: u64 },
    Approved { request: i64, by: String, wall_ms: u64 },
    Refused { request: i64, by: String, why: String, wall_ms: u64 },
    Told { request: i64, by: String, sightings: usize, wall_ms: u64 },
}

/// The desk of lookups over a ledger, which an engine may be writing.
pub struct Lookups {
    db: Connection,
}

impl Lookups {
    /// Opens the ledger at `path`.
    pub fn open(path: &Path) -> Result<Lookups, LookupError> {
        Ok(Lookups { db: open_beside(path)? })
    }

    /// Asks; the number of the request.
    pub fn request(&mut self, asked: Asked, wall_ms: u64) -> Result<i64, LookupError> {
        word(&asked.case, "the number of a case")?;
        word(&asked.by, "the name of who asks")?;
        if asked.vehicles.iter().all(|vehicle| *vehicle == 0) {
            return Err(LookupError::Nothing("there is no plate to look up"));
        }
        if asked.until_ms <= asked.from_ms {
            return Err(LookupError::Nothing("the time to look at ends before it begins"));
        }
        self.note(&Step::Requested { asked, wall_ms })
    }

    /// Approves a request in the name of somebody who did not make it.
    pub fn approve(&mut self, request: i64, by: &str, wall_ms: u64) -> Result<(), LookupError> {
        word(by, "the name of who approves")?;
        let asked = self.asked(request)?;
        if is_same(&asked.by, by) {
            return self.refuse(request, by, wall_ms, LookupError::SamePerson(request, asked.by));
        }
        self.note(&Step::Approved { request, by: by.into(), wall_ms }).map(|_| ())
    }

    /// What was asked, if it may be told now to this person. What `find` says of it is noted before it is given back.
    pub fn tell<T>(
        &mut self,
        request: i64,
        by: &str,
        wall_ms: u64,
        find: impl FnOnce(&Asked) -> Result<Vec<T>, LookupError>,
    ) -> Result<Vec<T>, LookupError> {
        let asked = self.asked(request)?;
        if !is_same(&asked.by, by) {
            return self.refuse(request, by, wall_ms, LookupError::NotYours(request, asked.by));
        }
        match self.approved(request)? {
            None => return self.refuse(request, by, wall_ms, LookupError::NotApproved(request)),
            Some(at_ms) if wall_ms.saturating_sub(at_ms) > HOLDS_MS => {
                return self.refuse(request, by, wall_ms, LookupError::Expired(request));
            }
            Some(_) => {}
        }
        let found = find(&asked)?;
        self.note(&Step::Told { request, by: by.into(), sightings: found.len(), wall_ms })?;
        Ok(found)
    }

    /// What was refused is noted too.
    fn refuse<T>(&mut self, request: i64, by: &str, wall_ms: u64, why: LookupError) -> Result<T, LookupError> {
        word(by, "a name")?;
        self.note(&Step::Refused { request, by: by.into(), why: why.to_string(), wall_ms })?;
        Err(why)
    }

    fn asked(&self, request: i64) -> Result<Asked, LookupError> {
        let sql = "SELECT body FROM audit WHERE seq = ? AND kind = 'lookup'";
        let body: Option<String> = self.db.query_row(sql, [request], |row| row.get(0)).optional()?;
        match body.and_then(|body| serde_json::from_str(&body).ok()) {
            Some(Step::Requested { asked, .. }) => Ok(asked),
            _ => Err(LookupError::Unknown(request)),
        }
    }

    /// When it was approved last, ms.
    fn approved(&self, number: i64) -> Result<Option<u64>, LookupError> {
        let sql = "SELECT body FROM audit WHERE seq > ? AND kind = 'lookup' ORDER BY seq DESC";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            match serde_json::from_str(&row.get::<_, String>(0)?) {
                Ok(Step::Approved { request, wall_ms, .. }) if request == number => return Ok(Some(wall_ms)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Puts a step into the audit log; its number.
    fn note(&mut self, step: &Step) -> Result<i64, LookupError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = Head::of(&transaction)?;
        let tick = audit::last_tick(&transaction)?;
        head.append(&transaction, tick, Kind::Lookup, step)?;
        head.note(&transaction)?;
        transaction.commit()?;
        Ok(head.seq)
    }
}

fn word(text: &str, what: &'static str) -> Result<(), LookupError> {
    // It stays in the audit log for good.
    let holds = !text.trim().is_empty() && text.len() <= MAX_WORD && !is_private(text);
    if holds { Ok(()) } else { Err(LookupError::Word(what)) }
}

/// Names that differ in case and spaces only are one person's.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{in_new_file, opened, record};
    use super::*;

    fn asked() -> Asked {
        Asked { case: "2026-17".into(), by: "Li Na".into(), vehicles: vec![7], from_ms: 1, until_ms: 9 }
    }

    #[test]
    fn nothing_is_told_without_a_case_a_second_person_and_in_time() {
        let (_dir, path, _running) = in_new_file();
        let mut desk = Lookups::open(&path).unwrap();
        assert!(matches!(desk.request(Asked { case: " ".into(), ..asked() }, 0), Err(LookupError::Word(_))));
        let plate = desk.request(Asked { case: "贵A12345".into(), ..asked() }, 0);
        assert!(matches!(plate, Err(LookupError::Word(_))), "it would stay in the log");
        assert!(matches!(desk.request(Asked { vehicles: vec![0], ..asked() }, 0), Err(LookupError::Nothing(_))));
        assert!(matches!(desk.request(Asked { until_ms: 1, ..asked() }, 0), Err(LookupError::Nothing(_))));
        let number = desk.request(asked(), 0).unwrap();
        let other = desk.request(asked(), 0).unwrap();
        let told = |desk: &mut Lookups, number, by, at_ms| {
            desk.tell(number, by, at_ms, |asked| Ok(asked.vehicles.clone())).map_err(|error| error.to_string())
        };
        assert!(told(&mut desk, number, "Li Na", 1).unwrap_err().contains("not approved"));
        for same in ["Li Na", "li  na", "LiNa "] {
            assert!(matches!(desk.approve(number, same, 2), Err(LookupError::SamePerson(..))), "{same}");
        }
        assert!(told(&mut desk, number, "Li Na", 2).unwrap_err().contains("not approved"));
        assert!(matches!(desk.approve(number + 50, "Wang", 2), Err(LookupError::Unknown(_))));
        desk.approve(number, "Wang", 3).unwrap();
        assert!(told(&mut desk, number, "Wang", 4).unwrap_err().contains("alone"));
        assert!(told(&mut desk, other, "Li Na", 4).unwrap_err().contains("not approved"), "each needs its own");
        assert_eq!(told(&mut desk, number, "Li Na", 4), Ok(vec![7]));
        assert!(told(&mut desk, number, "Li Na", 4 + HOLDS_MS).unwrap_err().contains("expired"));
    }

    #[test]
    fn every_step_is_in_the_audit_log_also_beside_a_running_engine() {
        let (_dir, path, mut running) = in_new_file();
        let mut desk = Lookups::open(&path).unwrap();
        let number = desk.request(asked(), 5).unwrap();
        running.commit(&[record(9, vec![opened(17)], Default::default())]).unwrap();
        assert!(desk.approve(number, "Li Na", 6).is_err());
        desk.approve(number, "Wang", 7).unwrap();
        running.commit(&[record(10, vec![opened(18)], Default::default())]).unwrap();
        desk.tell(number, "Li Na", 8, |_| Ok(vec![(); 3])).unwrap();
        let steps = audit::of_kind(&desk.db, "lookup").unwrap();
        let lines: Vec<String> = steps.iter().map(audit::Record::line).collect();
        for (line, word) in lines.iter().zip(["requested", "refused", "approved", "told"]) {
            assert!(line.contains(&format!("\"step\":\"{word}\"")), "{lines:?}");
        }
        assert!(lines[0].contains("2026-17") && lines[3].contains("\"sightings\":3"), "{lines:?}");
        assert!(audit::verify::verify(&desk.db, &[]).unwrap().is_ok());
    }
}
