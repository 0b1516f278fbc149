//! Patrol units: they stand at their posts, answer assignments, drive there through the traffic of now, work and return.

use nanming_dataflows::decision::{Assignment, CallPhase, CallStatus};
use nanming_dataflows::event::{Ack, Answer, AssignmentId, CallFacts, Category, Event, UnitReport, UnitStatus};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::{City, Point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{lognormal_ms, mix, stream};
use super::roads::Roads;
use super::streets::{Spot, nearest_spot, place_of, quickest};
use super::traffic::STEP_MS;

/// A unit that takes up an assignment of before accepts it after so long, ms.
const TAKE_UP_MS: u64 = 5_000;

#[derive(Clone, Debug)]
struct Drive {
    way: Vec<u32>,
    leg: usize,
    at_mm: u64,
    end_mm: u32,
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
    place: Option<Point>,
    eta_ms: u64,
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
            Patrol { spot: post, post, status, task, refusing, drive, manned: false, next_report_ms, period_ms }
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
        travel_ms: &[u32],
        (unit, assignment, phase): (UnitId, AssignmentId, CallPhase),
        facts: &CallFacts,
        now_ms: u64,
    ) {
        let row = unit.index();
        let Some(unit) = self.units.get_mut(row).filter(|unit| unit.task.is_none()) else { return };
        let stage = Stage::Reacting(now_ms + TAKE_UP_MS, Some(Answer::Accept));
        unit.task = Some(Task { assignment, category: facts.category, place: Some(facts.at), eta_ms: 0, stage });
        match phase {
            CallPhase::Accepted => self.set_out(city, row, roads, travel_ms, now_ms),
            CallPhase::Arrived => {
                (unit.spot, unit.drive) = (nearest_spot(city, roads, facts.at), None);
                unit.start_work(None);
            }
            _ => {}
        }
    }

    /// A call reached a phase: a unit that is no longer in charge turns back, a manned one does what its person said.
    pub(super) fn hear(&mut self, city: &City, roads: &Roads, travel_ms: &[u32], status: &CallStatus, now_ms: u64) {
        for row in 0..self.units.len() {
            let unit = &self.units[row];
            let Some(task) = unit.task.as_ref().filter(|t| t.assignment.call == status.call) else { continue };
            let in_charge = status.assignment == Some(task.assignment);
            let is_over = status.phase.is_over() || status.phase == CallPhase::Waiting;
            if is_over || (!in_charge && status.assignment.is_some()) {
                self.release(row, roads, travel_ms);
            } else if unit.manned && in_charge {
                match status.phase {
                    CallPhase::Accepted => self.set_out(city, row, roads, travel_ms, now_ms),
                    CallPhase::Arrived => self.units[row].start_work(None),
                    _ => {}
                }
            }
        }
    }

    /// Moves all units on by a step and reports those whose turn it is. Returns calls that were closed on scene.
    pub(super) fn advance(
        &mut self,
        city: &City,
        roads: &Roads,
        travel_ms: &[u32],
        now_ms: u64,
        out: &mut Vec<Event>,
    ) -> Vec<(UnitId, AssignmentId, Category)> {
        let minute = city.minute_of_day(now_ms);
        let mut closed = Vec::new();
        for row in 0..self.units.len() {
            self.units[row].drive_on(roads, travel_ms, city);
            self.units[row].refuse(row, now_ms, out);
            if self.units[row].task.is_some() {
                closed.extend(self.go_on(city, row, roads, travel_ms, now_ms, out));
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
        roads: &Roads,
        travel_ms: &[u32],
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
                    self.set_out(city, row, roads, travel_ms, now_ms);
                } else {
                    unit.task = None;
                }
            }
            Stage::Reacting(at_ms, None) if now_ms >= at_ms + 60_000 => unit.task = None,
            Stage::Driving(latest_ms) if unit.drive.is_none() && latest_ms.is_none_or(|l| now_ms >= l) => {
                say(Answer::Arrived);
                let work_ms = self.draw_work_ms(category);
                self.units[row].start_work(Some(now_ms + work_ms));
            }
            Stage::Working(None) => {
                let work_ms = self.draw_work_ms(category);
                self.units[row].start_work(Some(now_ms + work_ms));
            }
            Stage::Working(Some(until_ms)) if now_ms >= until_ms => {
                say(Answer::Closed);
                self.release(row, roads, travel_ms);
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

    fn set_out(&mut self, city: &City, row: usize, roads: &Roads, travel_ms: &[u32], now_ms: u64) {
        let unit = &mut self.units[row];
        let Some(task) = unit.task.as_mut() else { return };
        task.stage = Stage::Driving(task.place.is_none().then_some(now_ms + task.eta_ms));
        unit.status = UnitStatus::OnTheWay;
        if let Some(place) = task.place {
            unit.drive_to(nearest_spot(city, roads, place), roads, travel_ms);
        }
        unit.next_report_ms = now_ms;
    }

    fn release(&mut self, row: usize, roads: &Roads, travel_ms: &[u32]) {
        let unit = &mut self.units[row];
        unit.task = None;
        unit.status = UnitStatus::Returning;
        unit.drive_to(unit.post, roads, travel_ms);
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

    fn drive_to(&mut self, to: Spot, roads: &Roads, travel_ms: &[u32]) {
        let back = to.link == self.spot.link && to.at_mm < self.spot.at_mm;
        if back {
            self.spot.at_mm = to.at_mm; // a U-turn on the spot: short
        }
        let way = quickest(roads, travel_ms, self.spot.link, to.link);
        let at_mm = if way[0] == self.spot.link { u64::from(self.spot.at_mm) } else { 0 };
        self.drive = Some(Drive { way, leg: 0, at_mm, end_mm: to.at_mm });
    }

    /// Half a second along the way, at the speed of the link.
    fn drive_on(&mut self, roads: &Roads, travel_ms: &[u32], city: &City) {
        let Some(drive) = self.drive.as_mut() else { return };
        let link = drive.way[drive.leg];
        let length_mm = u64::from(city.links[link as usize].length_mm);
        drive.at_mm += (length_mm * STEP_MS / u64::from(travel_ms[link as usize].max(1))).max(1_000);
        let last = drive.leg + 1 == drive.way.len();
        if !last && drive.at_mm >= length_mm {
            drive.leg += 1;
            drive.at_mm = 0;
        }
        let link = drive.way[drive.leg];
        let end_mm = if drive.leg + 1 == drive.way.len() { u64::from(drive.end_mm) } else { u64::MAX };
        self.spot =
            Spot { link, at_mm: drive.at_mm.min(end_mm).min(u64::from(city.links[link as usize].length_mm)) as u32 };
        debug_assert!((link as usize) < roads.links.len());
        if drive.at_mm >= end_mm {
            self.drive = None;
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
        self.next_report_ms = if self.status == UnitStatus::OffDuty { u64::MAX } else { now_ms + self.period_ms };
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
        Category::Other => (9.0, 0.5),
    }
}
