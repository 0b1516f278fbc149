//! Rosters: the same machine for those who are no patrol units. Each roster gives every point to a person who looks after
//! it, and every task to a person who does it.
//!
//! Points go to persons for least travel, within what each can look after, and change hands only where that saves more than
//! a little. A task goes to the person who looks after its point; where that one is absent, off shift, full or unwilling, to
//! the next by travel and load. What is not accepted or done in time climbs the ladder of its kind. So a task that is open
//! is always one person's, or it was said that nobody is there to take it. `docs/rosters.md` has the rules.
//!
//! Knows nothing about units and streets: the way to a task is a straight line and a detour.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::Time;
use crate::decide::dispatch::Referral;
use crate::decision::{Rejected, RosterWord};
use crate::event::{Event, Finding, RosterChange, SiteReport, TASKS_FOUND, TASKS_OF_CALLS, TaskFacts};
use crate::ids::{CallId, PointId, RosterId, TaskId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::{City, Point, Roster};

mod answers;
mod assign;
mod book;
mod clerk;
mod duties;
#[cfg(test)]
mod properties;
mod tasks;
#[cfg(test)]
mod tests;
pub use book::Book;
use clerk::Clerk;

/// Something that a roster is told. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterNews {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: Heard,
}

/// What a roster is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Heard {
    /// By people and cameras.
    Change(RosterChange),
    /// By dispatch: a call is no patrol's matter, or, without facts, is withdrawn or one again. Its referrals are numbered.
    Referred(TaskId, u32, Option<TaskFacts>),
}

/// What a roster says.
#[derive(Clone, Debug)]
pub enum RosterSaid {
    /// Of a task, a point or a person.
    Word(RosterWord),
    /// What was told made no sense.
    Rejected(Rejected),
}

/// The machine.
pub struct Rosters {
    city: Arc<City>,
}

impl Rosters {
    /// For a city's rosters.
    pub fn new(city: Arc<City>) -> Self {
        Rosters { city }
    }
}

impl Machine for Rosters {
    type Key = RosterId;
    type Event = RosterNews;
    type State = Book;
    type Out = RosterSaid;

    fn name(&self) -> &'static str {
        "rosters"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn keys(&self) -> Vec<RosterId> {
        self.city.rosters.iter().map(|roster| roster.id).collect()
    }

    fn step(
        &self,
        key: RosterId,
        book: &mut Book,
        tick: Time,
        events: &[(RosterId, RosterNews)],
        out: &mut Outbox<RosterSaid>,
    ) {
        let Some(roster) = self.city.rosters.get(key.index()) else { return };
        let minute = self.city.minute_of_day(tick);
        let mut clerk = Clerk::new(roster, book, tick, minute, out);
        events.iter().for_each(|(_, news)| clerk.hear(news));
        clerk.run();
        if let Some(at) = clerk.next_due() {
            out.wake_at(at);
        }
    }
}

/// What rosters are told of an event: a finding at a building site is a task of those that take findings.
pub fn told(city: &City, event: &Event) -> Option<(RosterId, RosterNews)> {
    match event {
        Event::Roster(e) => Some((e.roster, RosterNews { time_ms: e.time_ms, what: Heard::Change(e.change.clone()) })),
        Event::Site(report) => found(city, report),
        _ => None,
    }
}

/// A finding at a building site, as a task of the first roster that takes them and knows the site and the kind.
fn found(city: &City, report: &SiteReport) -> Option<(RosterId, RosterNews)> {
    let roster = city.rosters.iter().find(|roster| roster.takes_findings)?;
    let kind = kind_row(roster, finding_kind(report.finding)?)?;
    // The points of such a roster begin with the sites, in their order.
    let point = roster.point(PointId(report.site.0)).filter(|point| point.site == Some(report.site))?;
    let task = TaskId(TASKS_FOUND | (report.time_ms & ((1 << 42) - 1)) << 20 | u64::from(report.site.0 & 0xf_ffff));
    let facts = TaskFacts { kind, at: point.at, point: Some(point.id) };
    let what = Heard::Change(RosterChange::Raised(task, facts));
    Some((roster.id, RosterNews { time_ms: report.time_ms, what }))
}

/// The kind of task that a finding is; none where there is nothing to do.
fn finding_kind(finding: Finding) -> Option<&'static str> {
    match finding {
        Finding::Dust => Some("dust"),
        Finding::Mud => Some("mud"),
        Finding::Noise => Some("noise"),
        Finding::Danger => Some("danger"),
        Finding::Clean => None,
    }
}

fn kind_row(roster: &Roster, name: &str) -> Option<u8> {
    roster.kinds.iter().position(|kind| kind.name == name).map(|row| row as u8)
}

/// A call that is no matter for the police, as a task of the first roster that takes such calls: its `call` kind, or its
/// last one, at the nearest of its points.
pub fn referred(city: &City, said: &Referral) -> Option<(RosterId, RosterNews)> {
    let roster = city.rosters.iter().find(|roster| roster.takes_calls)?;
    let kind = kind_row(roster, "call").or_else(|| roster.kinds.len().checked_sub(1).map(|last| last as u8))?;
    let nearest = |at: Point| roster.points.iter().min_by_key(|p| (p.at.distance_mm(at), p.id)).map(|p| p.id);
    let facts = said.facts.map(|facts| TaskFacts { kind, at: facts.at, point: nearest(facts.at) });
    let what = Heard::Referred(task_of_call(said.call), said.seq, facts);
    Some((roster.id, RosterNews { time_ms: said.time_ms, what }))
}

/// The task that a call is where it is no matter for the police.
pub fn task_of_call(call: CallId) -> TaskId {
    TaskId(TASKS_OF_CALLS | call.0)
}
