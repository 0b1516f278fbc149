//! Patrol units: they stand at their posts, answer assignments, drive there through the traffic of now, work and return.

use nanming_dataflows::decision::{Assignment, AssignmentPhase, AssignmentStatus, CallPhase};
use nanming_dataflows::event::{
    Ack, Answer, AssignmentId, CallFacts, Category, Event, Priority, Serving, UnitReport, UnitStatus,
};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::{City, Point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{lognormal_ms, mix, stream};
use super::roads::Roads;
use super::streets::{Spot, nearest_spot, place_of, quickest};
use super::traffic::{STEP_MS, Traffic};
use super::truth::UnitDrive;
use super::units::Whereabouts;

/// A unit that takes up an assignment of before accepts it after so long, ms.
const TAKE_UP_MS: u64 = 5_000;

/// A unit that drives with a call reports where it is so often, ms.
const ON_THE_WAY_MS: u64 = 5_000;

/// A unit under way.
#[derive(Clone, Debug)]
struct Drive {
    to: Spot,
    /// The way to take from now on; empty: the quickest.
    way: Vec<u32>,
    /// Whether it must still set off, or turn to that way.
    pending: bool,
    on_road: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Thinks about it until then; what it will say, if anything.
    Reacting(u64, Option<Answer>),
    /// Drives there; the time by which it is there at the latest where the place is unknown.
    Driving(Option<u64>),
    /// Works there until then; as long as it takes where that is not known: a person says so, or it is drawn.
    Working(Option<u64>),
}

#[derive(Clone, Debug)]
struct Task {
    assignment: AssignmentId,
    category: Category,
    priority: Priority,
    place: Option<Point>,
    eta_ms: u64,
    /// When it set out, ms.
    set_out_ms: u64,
    stage: Stage,
}

#[derive(Clone, Debug)]
struct Patrol {
    spot: Spot,
    post: Spot,
    status: UnitStatus,
    task: Option<Task>,
    /// An assignment that came while it had another task: refused at this time.
    refusing: Option<(u64, AssignmentId)>,
    drive: Option<Drive>,
    /// Time that its drive to its call would have taken alone, ms.
    alone_ms: u64,
    manned: bool,
    next_report_ms: u64,
    period_ms: u64,
}

/// All units.
#[derive(Clone, Debug)]
pub(super) struct Patrols {
    rng: ChaCha8Rng,
    units: Vec<Patrol>,
}

impl Patrols {
    /// All units at their posts.
    pub(super) fn new(city: &City, roads: &Roads, seed: u64, now_ms: u64) -> Self {
        let minute = city.minute_of_day(now_ms);
        let patrol = |u: &nanming_dataflows::network::Unit| {
            let post = nearest_spot(city, roads, u.post);
            let status = if u.on_shift(minute) { UnitStatus::Stationed } else { UnitStatus::OffDuty };
            let period_ms = 10_000 + mix(seed ^ u64::from(u.id.0)) % 11 * STEP_MS;
            let next_report_ms = now_ms + mix(u64::from(u.id.0)) % 20 * STEP_MS;
            let (task, refusing, drive) = (None, None, None);
            let (manned, alone_ms) = (false, 0);
            Patrol { spot: post, post, status, task, refusing, drive, alone_ms, manned, next_report_ms, period_ms }
        };
        Patrols { rng: stream(seed, 3), units: city.units.iter().map(patrol).collect() }
    }

    /// A person takes a unit over, or hands it back.
    pub(super) fn man(&mut self, unit: UnitId, manned: bool) {
        if let Some(u) = self.units.get_mut(unit.index()) {
            u.manned = manned;
        }
    }

    /// A unit is sent to a call.
    pub(super) fn assign(&mut self, a: &Assignment, facts: Option<&CallFacts>, now_ms: u64) {
        let (wait_ms, roll) = (self.rng.random_range(2_000..8_000), self.rng.random_range(0..100));
        let Some(unit) = self.units.get_mut(a.unit.index()) else { return };
        if unit.task.is_some() {
            unit.refusing = Some((now_ms + wait_ms, a.id));
            return;
        }
        let answer = match roll {
            _ if unit.status == UnitStatus::OffDuty => Some(Answer::Decline),
            0 => None,
            1..=2 => Some(Answer::Decline),
            _ => Some(Answer::Accept),
        };
        unit.task = Some(Task {
            assignment: a.id,
            category: facts.map_or(Category::Other, |f| f.category),
            priority: a.priority,
            set_out_ms: now_ms,
            place: facts.map(|f| f.at),
            eta_ms: a.eta_ms,
            stage: Stage::Reacting(now_ms + wait_ms, answer),
        });
    }

    /// A unit had this assignment, whose call was so far, before the world began: it goes on with it, from the place of
    /// the call where it had arrived and from its post where it had not.
    pub(super) fn take_up(
        &mut self,
        city: &City,
        roads: &Roads,
        (call, Serving { unit, attempt, phase, .. }): (CallId, Serving),
        facts: &CallFacts,
        now_ms: u64,
    ) {
        let row = unit.index();
        let Some(unit) = self.units.get_mut(row).filter(|unit| unit.task.is_none()) else { return };
        let assignment = AssignmentId { call, attempt };
        let stage = Stage::Reacting(now_ms + TAKE_UP_MS, Some(Answer::Accept));
        let CallFacts { category, priority, at, .. } = *facts;
        let (place, eta_ms, set_out_ms) = (Some(at), 0, now_ms);
        unit.task = Some(Task { assignment, category, priority, place, eta_ms, set_out_ms, stage });
        match phase {
            CallPhase::Accepted => self.set_out(city, row, roads, now_ms),
            CallPhase::Arrived => {
                (unit.spot, unit.drive) = (nearest_spot(city, roads, facts.at), None);
                unit.start_work(None);
            }
            _ => {}
        }
    }

    /// An assignment reached a phase: a unit that is no longer in charge turns back, a manned one does what its person said.
    pub(super) fn hear(&mut self, city: &City, roads: &Roads, status: &AssignmentStatus, now_ms: u64) {
        let row = status.unit.index();
        let Some(unit) = self.units.get(row) else { return };
        if unit.task.as_ref().is_none_or(|task| task.assignment != status.id) {
            return;
        }
        match status.phase {
            AssignmentPhase::Ended(_) => self.release(row),
            AssignmentPhase::Accepted if unit.manned => self.set_out(city, row, roads, now_ms),
            AssignmentPhase::Arrived if unit.manned => self.units[row].start_work(None),
            _ => {}
        }
    }

    /// A unit is shown the way that it should take: it does, if that leads from where it is.
    pub(super) fn guide(&mut self, unit: UnitId, links: &[u32]) {
        let Some(unit) = self.units.get_mut(unit.index()) else { return };
        let Some(drive) = unit.drive.as_mut().filter(|_| unit.status == UnitStatus::OnTheWay) else { return };
        let here = links.iter().position(|link| *link == unit.spot.link);
        if let Some(row) = here.filter(|_| links.last() == Some(&drive.to.link)) {
            (drive.way, drive.pending) = (links[row..].to_vec(), true);
        }
    }

    /// Moves all units on by a step and reports those whose turn it is. Returns calls that were closed on scene.
    pub(super) fn advance(
        &mut self,
        city: &City,
        traffic: &mut Traffic,
        now_ms: u64,
        out: &mut Vec<Event>,
    ) -> Vec<(UnitId, AssignmentId, Category)> {
        let minute = city.minute_of_day(now_ms);
        let mut closed = Vec::new();
        for row in 0..self.units.len() {
            self.units[row].drive_on(row as u32, traffic, now_ms);
            self.units[row].refuse(row, now_ms, out);
            if self.units[row].task.is_some() {
                closed.extend(self.go_on(city, row, traffic, now_ms, out));
            } else {
                self.units[row].keep_shift(city.units[row].on_shift(minute), now_ms);
            }
            self.units[row].report(city, row, now_ms, out);
        }
        closed
    }

    fn go_on(
        &mut self,
        city: &City,
        row: usize,
        traffic: &mut Traffic,
        now_ms: u64,
        out: &mut Vec<Event>,
    ) -> Option<(UnitId, AssignmentId, Category)> {
        let unit = &mut self.units[row];
        let task = unit.task.as_ref()?;
        let (assignment, category) = (task.assignment, task.category);
        let id = UnitId::from_index(row);
        let mut say = |answer| out.push(Event::Ack(Ack { time_ms: now_ms, unit: id, assignment, answer }));
        match task.stage {
            _ if unit.manned => {}
            Stage::Reacting(at_ms, Some(answer)) if now_ms >= at_ms => {
                say(answer);
                if answer == Answer::Accept {
                    self.set_out(city, row, &traffic.roads, now_ms);
                } else {
                    unit.task = None;
                }
            }
            Stage::Reacting(at_ms, None) if now_ms >= at_ms + 60_000 => unit.task = None,
            Stage::Driving(latest_ms) if unit.drive.is_none() && latest_ms.is_none_or(|l| now_ms >= l) => {
                say(Answer::Arrived);
                let (call, priority, set_out_ms) = (assignment.call, task.priority, task.set_out_ms);
                let (took_ms, alone_ms) = (now_ms - set_out_ms, unit.alone_ms);
                traffic.truth.drives.push(UnitDrive { unit: id, call, priority, set_out_ms, took_ms, alone_ms });
                let work_ms = self.draw_work_ms(category);
                self.units[row].start_work(Some(now_ms + work_ms));
            }
            Stage::Working(None) => {
                let work_ms = self.draw_work_ms(category);
                self.units[row].start_work(Some(now_ms + work_ms));
            }
            Stage::Working(Some(until_ms)) if now_ms >= until_ms => {
                say(Answer::Closed);
                self.release(row);
                return Some((id, assignment, category));
            }
            _ => {}
        }
        None
    }

    fn draw_work_ms(&mut self, category: Category) -> u64 {
        let (median_min, sigma) = work_min(category);
        lognormal_ms(&mut self.rng, median_min * 60_000.0, sigma).clamp(300_000, 2_400_000)
    }

    fn set_out(&mut self, city: &City, row: usize, roads: &Roads, now_ms: u64) {
        let unit = &mut self.units[row];
        let Some(task) = unit.task.as_mut() else { return };
        task.stage = Stage::Driving(task.place.is_none().then_some(now_ms + task.eta_ms));
        task.set_out_ms = now_ms;
        unit.status = UnitStatus::OnTheWay;
        unit.alone_ms = 0;
        if let Some(place) = task.place {
            unit.drive_to(nearest_spot(city, roads, place));
        }
        unit.next_report_ms = now_ms;
    }

    fn release(&mut self, row: usize) {
        let unit = &mut self.units[row];
        unit.task = None;
        unit.status = UnitStatus::Returning;
        unit.drive_to(unit.post);
        unit.next_report_ms = 0;
    }
}

impl Patrol {
    fn start_work(&mut self, until_ms: Option<u64>) {
        if let Some(task) = self.task.as_mut() {
            task.stage = Stage::Working(until_ms);
            self.status = UnitStatus::OnScene;
            self.next_report_ms = 0;
        }
    }

    /// Says that it has no time for the assignment that it was given besides its task.
    fn refuse(&mut self, row: usize, now_ms: u64, out: &mut Vec<Event>) {
        let Some((_, assignment)) = self.refusing.take_if(|(at_ms, _)| now_ms >= *at_ms) else { return };
        if !self.manned {
            let unit = UnitId::from_index(row);
            out.push(Event::Ack(Ack { time_ms: now_ms, unit, assignment, answer: Answer::Decline }));
        }
    }

    /// Drives there from the next step on.
    fn drive_to(&mut self, to: Spot) {
        let on_road = self.drive.as_ref().is_some_and(|drive| drive.on_road);
        self.drive = Some(Drive { to, way: Vec::new(), pending: true, on_road });
    }

    /// Sets off as soon as there is a gap beside it, turns to another way, and sees how far it has come.
    fn drive_on(&mut self, unit: u32, traffic: &mut Traffic, now_ms: u64) {
        let Some(drive) = self.drive.as_mut() else { return };
        match traffic.whereabouts(unit).filter(|_| drive.on_road) {
            Some(Whereabouts::Here(spot)) => self.spot = spot,
            Some(Whereabouts::Ended(spot, alone_ms)) => {
                self.spot = spot;
                self.alone_ms += alone_ms;
                drive.on_road = false;
                // One that found no way on in its lane sets off again.
                if spot.link == drive.to.link && !drive.pending {
                    self.drive = None;
                    return;
                }
                (drive.pending, drive.way) = (true, Vec::new());
            }
            None => drive.on_road = false,
        }
        if !drive.pending {
            return;
        }
        if drive.way.first() != Some(&self.spot.link) {
            drive.way = quickest(&traffic.roads, &traffic.travel_ms, self.spot.link, drive.to.link);
        }
        if drive.way.first() != Some(&self.spot.link) {
            // No street leads there: it walks.
            (self.spot, self.drive) = (drive.to, None);
        } else if drive.on_road {
            traffic.turn_to(unit, &drive.way, drive.to.at_mm);
            drive.pending = false;
        } else {
            if drive.way.len() == 1 {
                self.spot.at_mm = self.spot.at_mm.min(drive.to.at_mm); // a U-turn on the spot: short
            }
            drive.on_road = traffic.set_off(unit, self.spot, &drive.way, drive.to.at_mm, now_ms);
            drive.pending = !drive.on_road;
        }
    }

    /// Without a task: on and off duty with the shift, and back at the post in the end.
    fn keep_shift(&mut self, on_shift: bool, now_ms: u64) {
        let status = match (on_shift, self.drive.is_some()) {
            (false, _) => UnitStatus::OffDuty,
            (true, true) => UnitStatus::Returning,
            (true, false) => UnitStatus::Stationed,
        };
        if status != self.status {
            self.next_report_ms = now_ms;
            self.status = status;
        }
    }

    fn report(&mut self, city: &City, row: usize, now_ms: u64, out: &mut Vec<Event>) {
        if now_ms < self.next_report_ms {
            return;
        }
        self.next_report_ms = match self.status {
            UnitStatus::OffDuty => u64::MAX,
            UnitStatus::OnTheWay => now_ms + ON_THE_WAY_MS,
            _ => now_ms + self.period_ms,
        };
        let at = place_of(&city.links[self.spot.link as usize], self.spot.at_mm);
        out.push(Event::Unit(UnitReport { time_ms: now_ms, unit: UnitId::from_index(row), at, status: self.status }));
    }
}

/// Median time on scene, min, and the spread of its logarithm.
fn work_min(category: Category) -> (f64, f64) {
    match category {
        Category::Crime => (22.0, 0.5),
        Category::Disturbance => (13.0, 0.5),
        Category::Collision => (18.0, 0.4),
        Category::Help => (10.0, 0.5),
        Category::Other | Category::Community => (9.0, 0.5),
    }
}
