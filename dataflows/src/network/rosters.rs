//! Rosters: who sees to what besides patrol units, such as supervisors to building sites. Who they are, what they look
//! after, and how long a task may take them.

use serde::{Deserialize, Serialize};

use super::{Point, span_holds};
use crate::ids::{PersonId, PointId, RosterId, SiteId};

/// A roster: persons, the points that they look after, and the tasks that they are given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    /// Its row.
    pub id: RosterId,
    /// Name outside, such as `sites`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What persons can be in it.
    pub roles: Vec<Role>,
    /// What tasks can be about, most urgent first.
    pub kinds: Vec<TaskKind>,
    /// Persons by [`PersonId`].
    pub persons: Vec<Person>,
    /// Points by [`PointId`].
    pub points: Vec<DutyPoint>,
    /// How fast persons move, mm/s.
    pub speed_mm_s: u32,
    /// How much longer the way is than the straight line, 1/1000 of it.
    pub detour_milli: u32,
    /// An open task of a person counts as so much travel when another is given out, ms.
    pub load_ms: u64,
    /// A point changes hands only where that saves more travel than this, ms.
    pub move_ms: u64,
    /// Who is absent for so long gives the points to others meanwhile, ms.
    pub long_absence_ms: u64,
    /// Whether findings at building sites become tasks here.
    pub takes_findings: bool,
    /// Whether calls that are no matter for the police become tasks here.
    pub takes_calls: bool,
}

/// What a person can be in a roster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Name outside, such as `supervisor`.
    pub name: String,
    /// Whether each point has one of them who looks after it.
    pub is_standing: bool,
}

/// What a task is about, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskKind {
    /// Name outside, such as `dust`.
    pub name: String,
    /// Whose it is first, and to whom it goes when that one does not do it in time; at least one.
    pub ladder: Vec<Rung>,
}

/// A step of the ladder that a task climbs when it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Row of the role whose task it is here.
    pub role: u8,
    /// It must be accepted so long after it was told, ms.
    pub accept_ms: u64,
    /// It must be done so long after it came to this rung, ms.
    pub done_ms: u64,
    /// Whether it must be done before the shift of its person ends.
    pub by_shift_end: bool,
}

/// A person of a roster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Their row.
    pub id: PersonId,
    /// Name outside.
    pub name: String,
    /// Row of their role.
    pub role: u8,
    /// Where they are at home.
    pub at: Point,
    /// Points that they can look after.
    pub points: u16,
    /// Tasks that they can have at once.
    pub tasks: u16,
    /// Shift in minutes of the local day: from, to (to < from wraps over midnight; equal: always).
    pub shift_min: (u16, u16),
}

/// A place that somebody looks after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DutyPoint {
    /// Its row.
    pub id: PointId,
    /// Name outside.
    pub name: String,
    /// Where.
    pub at: Point,
    /// The building site that it is, if it is one.
    pub site: Option<SiteId>,
}

/// Minutes of a day.
const DAY_MIN: u64 = 1440;

impl Roster {
    /// Expected travel time between two places, ms.
    pub fn travel_ms(&self, from: Point, to: Point) -> u64 {
        from.distance_mm(to) * u64::from(self.detour_milli) / u64::from(self.speed_mm_s.max(1))
    }

    /// A person by row.
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.persons.get(id.index())
    }

    /// A point by row.
    pub fn point(&self, id: PointId) -> Option<&DutyPoint> {
        self.points.get(id.index())
    }

    /// The ladder of a kind of task; empty where there is no such kind.
    pub fn ladder(&self, kind: u8) -> &[Rung] {
        self.kinds.get(usize::from(kind)).map_or(&[], |kind| &kind.ladder)
    }
}

impl Person {
    /// Whether a minute of the local day lies in the shift.
    pub fn on_shift(&self, minute: u16) -> bool {
        span_holds(self.shift_min, minute)
    }

    /// Minutes from one minute of the local day to the end of the shift, at least one; none: it never ends.
    pub fn shift_left_min(&self, minute: u16) -> Option<u64> {
        (self.shift_min.0 != self.shift_min.1).then(|| minutes_to(minute, self.shift_min.1))
    }

    /// Minutes from one minute of the local day to the beginning of the next shift, at least one; none: it is always on.
    pub fn shift_in_min(&self, minute: u16) -> Option<u64> {
        (self.shift_min.0 != self.shift_min.1).then(|| minutes_to(minute, self.shift_min.0))
    }
}

fn minutes_to(from: u16, to: u16) -> u64 {
    match (u64::from(to) + DAY_MIN - u64::from(from)) % DAY_MIN {
        0 => DAY_MIN,
        minutes => minutes,
    }
}
