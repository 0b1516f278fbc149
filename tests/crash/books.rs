//! What stands in the ledger of an engine that is dead, and whether it may stand there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::told::Words;

/// A call that waits is history only where it did something else before.
const BEGUN_AGAIN: &str = "SELECT call FROM
    (SELECT call, phase, attempt, lag(phase || ifnull(attempt, '')) OVER (PARTITION BY call ORDER BY rowid) AS before
     FROM call_history WHERE changed = '')
    WHERE phase = 'waiting' AND attempt IS NULL AND before = 'waiting'";
const OPEN: [&str; 3] = ["assigned", "accepted", "arrived"];

#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) phase: String,
    attempt: Option<i64>,
    unit: Option<i64>,
    needs: i64,
    words: String,
}

#[derive(Debug, PartialEq)]
struct Assignment {
    unit: i64,
    phase: String,
}

/// All of it, by ID.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) calls: BTreeMap<i64, Call>,
    assignments: BTreeMap<(i64, i64), Assignment>,
    /// Assignment, unit and answer of those that were taken.
    answers: BTreeSet<(i64, i64, i64, String)>,
    escalated: BTreeSet<i64>,
    /// Calls that began more than once.
    begun_again: Vec<i64>,
    /// What is wrong with the file.
    integrity: String,
}

impl Books {
    /// Reads a copy: opening the file itself would already mend it, which is for the next engine to do.
    pub(crate) fn read(dir: &Path) -> Books {
        let copy = tempfile::tempdir().unwrap();
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
            if dir.join(name).exists() {
                std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
            }
        }
        let db = Connection::open(copy.path().join("ledger.sqlite")).unwrap();
        let mut books = Books {
            integrity: db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap(),
            ..Books::default()
        };
        if db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0)).unwrap() > 0 {
            books.fill(&db);
        }
        books
    }

    fn fill(&mut self, db: &Connection) {
        each(db, "SELECT id, phase, attempt, unit, needs_units, words FROM calls", |row| {
            let (attempt, unit, needs) = (row.get(2)?, row.get(3)?, row.get(4)?);
            self.calls.insert(row.get(0)?, Call { phase: row.get(1)?, attempt, unit, needs, words: row.get(5)? });
            Ok(())
        });
        each(db, "SELECT call, attempt, unit, phase FROM assignments", |row| {
            let assignment = Assignment { unit: row.get(2)?, phase: row.get(3)? };
            self.assignments.insert((row.get(0)?, row.get(1)?), assignment);
            Ok(())
        });
        each(db, "SELECT call, attempt, unit, answer FROM acks WHERE refused = ''", |row| {
            self.answers.insert((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            Ok(())
        });
        each(db, "SELECT call FROM escalations", |row| {
            self.escalated.insert(row.get(0)?);
            Ok(())
        });
        each(db, BEGUN_AGAIN, |row| {
            self.begun_again.push(row.get(0)?);
            Ok(())
        });
    }

    /// What must not be: in itself, against what people were told, and against the books of an earlier death.
    pub(crate) fn complaints(&self, told: &Words, before: &Books) -> Vec<String> {
        let mut complaints = self.in_themselves();
        complaints.extend(self.against(told));
        complaints.extend(self.after(before));
        complaints
    }

    fn in_themselves(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.integrity != "ok" {
            complaints.push(format!("the file: {}", self.integrity));
        }
        complaints.extend(self.begun_again.iter().map(|call| format!("call {call} began more than once")));
        let mut busy = BTreeMap::new();
        let mut live = BTreeMap::<i64, i64>::new();
        for ((call, attempt), assignment) in self.assignments.iter().filter(|(_, a)| a.phase != "ended") {
            *live.entry(*call).or_default() += 1;
            if let Some(other) = busy.insert(assignment.unit, (call, attempt)) {
                complaints.push(format!("unit {} is on {other:?} and on {call}.{attempt}", assignment.unit));
            }
        }
        for (id, call) in &self.calls {
            let live = live.get(id).copied().unwrap_or(0);
            let lead = call.attempt.and_then(|attempt| self.assignments.get(&(*id, attempt)));
            let is_led = lead.is_some_and(|lead| lead.phase == call.phase && Some(lead.unit) == call.unit);
            let fits = match call.phase.as_str() {
                phase if OPEN.contains(&phase) => is_led && live <= call.needs,
                // Of several units the one in charge may have gone.
                "waiting" => call.unit.is_none() && live < call.needs.max(2),
                _ => live == 0,
            };
            if !fits {
                complaints.push(format!("call {id} with {live} units: {call:?}, led by {lead:?}"));
            }
        }
        complaints
    }

    fn against(&self, told: &Words) -> Vec<String> {
        let mut complaints = Vec::new();
        for (id, words) in &told.accepted {
            if self.call(*id).is_none_or(|call| call.words != *words) {
                complaints.push(format!("call {id} was accepted and is {:?}", self.call(*id)));
            }
        }
        for id in &told.withdrawn {
            if self.call(*id).is_none_or(|call| call.phase != "cancelled") {
                complaints.push(format!("call {id} was withdrawn and is {:?}", self.call(*id)));
            }
        }
        for (name, (call, unit)) in &told.assignments {
            let known = self.assignments.get(&(*call as i64, attempt(name)));
            if known.is_none_or(|assignment| assignment.unit != *unit as i64) {
                complaints.push(format!("unit {unit} was told {name}, which is {known:?}"));
            }
        }
        for (name, answer) in &told.answers {
            let (call, unit) = told.assignments[name];
            let answer_of = (call as i64, attempt(name), unit as i64, (*answer).to_owned());
            if !self.answers.contains(&answer_of) {
                complaints.push(format!("{answer_of:?} was taken and is not there"));
            }
        }
        complaints
    }

    fn call(&self, id: u64) -> Option<&Call> {
        self.calls.get(&(id as i64))
    }

    fn after(&self, before: &Books) -> Vec<String> {
        let mut complaints = Vec::new();
        for (id, call) in before.calls.iter().filter(|(_, call)| is_over(&call.phase)) {
            if self.calls.get(id).is_none_or(|now| now.phase != call.phase) {
                complaints.push(format!("call {id} was over, {call:?}, and is {:?}", self.calls.get(id)));
            }
        }
        for (id, assignment) in &before.assignments {
            let now = self.assignments.get(id);
            let goes_on = |now: &Assignment| {
                now.unit == assignment.unit && !(assignment.phase == "ended" && now.phase != "ended")
            };
            if !now.is_some_and(goes_on) {
                complaints.push(format!("assignment {id:?} was {assignment:?} and is {now:?}"));
            }
        }
        complaints
    }

    /// What a broker took and is not here, once the engine has come to it.
    pub(crate) fn unread(&self, told: &Words) -> Vec<String> {
        let is_here = |id: u64, words: &str| self.call(id).is_some_and(|call| call.words == words);
        let missing = told.written.iter().filter(|(id, words)| !is_here(**id, words));
        missing.map(|(id, _)| format!("call {id} is in the topic and is {:?}", self.call(*id))).collect()
    }

    /// Calls that nobody is on and nobody was told of.
    pub(crate) fn forgotten(&self) -> Vec<i64> {
        let nobody = |(id, call): &(&i64, &Call)| call.phase == "waiting" && !self.escalated.contains(id);
        self.calls.iter().filter(nobody).map(|(id, _)| *id).collect()
    }

    /// Calls that are not over.
    pub(crate) fn open(&self) -> usize {
        self.calls.values().filter(|call| !is_over(&call.phase)).count()
    }
}

fn is_over(phase: &str) -> bool {
    phase == "closed" || phase == "cancelled"
}

fn attempt(name: &str) -> i64 {
    name.rsplit_once('.').and_then(|(_, attempt)| attempt.parse().ok()).unwrap_or_default()
}

fn each(db: &Connection, sql: &str, mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>) {
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        take(row).unwrap();
    }
}
