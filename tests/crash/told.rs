//! What people were told from outside: it must hold for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

/// An assignment, as `call.attempt`.
pub(crate) type Name = String;

#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Words>>);

#[derive(Default)]
pub(crate) struct Words {
    /// Calls that were accepted, with their words.
    pub(crate) accepted: BTreeMap<u64, String>,
    /// Calls that a broker of Kafka has taken, with their words: the engine's as soon as it comes to them.
    pub(crate) written: BTreeMap<u64, String>,
    /// Calls whose withdrawal was confirmed.
    pub(crate) withdrawn: BTreeSet<u64>,
    /// By assignment: its call and unit, as terminals were told.
    pub(crate) assignments: BTreeMap<Name, (u64, u64)>,
    /// Answers of units that were taken.
    pub(crate) answers: BTreeSet<(Name, &'static str)>,
    /// How often a frame came again.
    pub(crate) again: usize,
    /// What must not be.
    pub(crate) complaints: Vec<String>,
}

impl Words {
    /// Calls that must be there at the end.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.accepted.keys().chain(self.written.keys()).copied().collect()
    }
}

impl Told {
    pub(crate) fn words(&self) -> MutexGuard<'_, Words> {
        self.0.lock().unwrap()
    }

    pub(crate) fn complain(&self, complaint: String) {
        self.words().complaints.push(complaint);
    }

    /// A terminal was sent an assignment: whether it is a new one.
    pub(crate) fn assigned(&self, unit: u64, frame: &Value) -> bool {
        let name = frame["assignment"].as_str().unwrap_or_default().to_owned();
        let what = (frame["call"].as_u64().unwrap_or_default(), unit);
        let mut words = self.words();
        if frame["unit"].as_u64() != Some(unit) || !name.starts_with(&format!("{}.", what.0)) {
            words.complaints.push(format!("unit {unit} is sent {frame}"));
        }
        match words.assignments.insert(name, what) {
            None => true,
            Some(before) => {
                words.again += 1;
                if before != what {
                    words.complaints.push(format!("one assignment, two tasks: {before:?} and then {frame}"));
                }
                false
            }
        }
    }
}
