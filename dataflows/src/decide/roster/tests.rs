use super::*;
use crate::decision::{Reason, RosterTask, TaskReason};
use crate::event::{DeclineReason, TaskAnswer, TaskPhase};
use crate::ids::{PersonId, SiteId};
use crate::network::{DutyPoint, Person, Point, Role, Rung, TaskKind};
use TaskPhase::*;

const MINUTE: u64 = 60_000;
/// Midnight of some day.
const MIDNIGHT: u64 = 86_400_000 * 100;

fn at_km(km: i32) -> Point {
    Point { x_mm: km * 1_000_000, y_mm: 0 }
}

/// Points at 0, 1, .. km. Persons of the first role at 0, 2, 4 km, each with two points and two tasks, from 8:00 to 18:00; a
/// desk, person 3, always there.
pub(super) fn city() -> Arc<City> {
    let rung = |role, by_shift_end| Rung { role, accept_ms: 10 * MINUTE, done_ms: 60 * MINUTE, by_shift_end };
    let ladder = |by_shift_end| vec![rung(0, by_shift_end), rung(1, false)];
    let kind = |name: &str, by_shift_end| TaskKind { name: name.into(), ladder: ladder(by_shift_end) };
    let role = |name: &str, is_standing| Role { name: name.into(), is_standing };
    let person = |row: u32| Person {
        id: PersonId(row),
        name: format!("p{row}"),
        role: u8::from(row == 3),
        at: at_km(row as i32 * 2),
        points: 2,
        tasks: 2,
        shift_min: if row == 3 { (0, 0) } else { (480, 1080) },
    };
    let point = |row: u32| DutyPoint {
        id: PointId(row),
        name: format!("d{row}"),
        at: at_km(row as i32),
        site: Some(SiteId(row)),
    };
    let roster = Roster {
        name: "sites".into(),
        roles: vec![role("supervisor", true), role("desk", false)],
        kinds: vec![kind("danger", false), kind("dust", false), kind("sweep", true)],
        persons: (0..4).map(person).collect(),
        points: (0..5).map(point).collect(),
        speed_mm_s: 1_000,
        detour_milli: 1_000,
        load_ms: 500_000,
        move_ms: 300_000,
        long_absence_ms: 24 * 60 * MINUTE,
        takes_findings: true,
        ..Roster::default()
    };
    Arc::new(City { rosters: vec![roster], ..City::default() })
}

/// A roster under test, and the time there.
pub(super) struct Test {
    rosters: Rosters,
    pub(super) book: Book,
    pub(super) tick: Time,
    due: Option<Time>,
}

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) words: Vec<RosterWord>,
    pub(super) rejected: Vec<Reason>,
}

impl Said {
    pub(super) fn tasks(&self) -> impl Iterator<Item = &RosterTask> {
        self.words.iter().filter_map(|word| if let RosterWord::Task(task) = word { Some(task) } else { None })
    }

    /// Task, phase, person, reason.
    fn brief(&self) -> Vec<(u64, TaskPhase, Option<u32>, TaskReason)> {
        self.tasks().map(|t| (t.task.0, t.standing.phase, t.standing.person.map(|p| p.0), t.reason)).collect()
    }

    fn duties(&self) -> Vec<(u32, Option<u32>)> {
        let duty = |word: &RosterWord| match word {
            RosterWord::Duty(d) => Some((d.duty.point.0, d.duty.person.map(|p| p.0))),
            _ => None,
        };
        self.words.iter().filter_map(duty).collect()
    }
}

impl Test {
    /// At 9:00, when nothing was told yet.
    pub(super) fn new() -> Self {
        Test { rosters: Rosters::new(city()), book: Book::default(), tick: MIDNIGHT + 540 * MINUTE, due: None }
    }

    /// At 9:00, with the points given out.
    fn begun() -> Self {
        let mut test = Test::new();
        test.step(0, []);
        test
    }

    /// The next tick, `after_ms` later, at which this is told.
    pub(super) fn step(&mut self, after_ms: u64, news: impl IntoIterator<Item = RosterChange>) -> Said {
        self.tick += after_ms;
        let now = |change| (RosterId(0), RosterNews { time_ms: self.tick, what: Heard::Change(change) });
        let mut events: Vec<_> = news.into_iter().map(now).collect();
        events.sort_unstable();
        self.tell(&events)
    }

    pub(super) fn tell(&mut self, events: &[(RosterId, RosterNews)]) -> Said {
        let mut out = Outbox::new();
        self.rosters.step(RosterId(0), &mut self.book, self.tick, events, &mut out);
        self.due = out.due();
        let mut said = Said::default();
        for word in out.said() {
            match word {
                RosterSaid::Word(word) => said.words.push(word),
                RosterSaid::Rejected(rejected) => said.rejected.push(rejected.reason),
            }
        }
        said
    }

    /// The tick at which the machine asked to be woken.
    fn when_due(&mut self) -> Said {
        self.tick = self.due.unwrap();
        self.step(0, [])
    }
}

pub(super) fn raised(task: u64, kind: u8, point: u32) -> RosterChange {
    let facts = TaskFacts { kind, at: at_km(point as i32), point: Some(PointId(point)) };
    RosterChange::Raised(TaskId(task), facts)
}

pub(super) fn answered(task: u64, attempt: u16, person: u32, answer: TaskAnswer) -> RosterChange {
    RosterChange::Answered(TaskId(task), attempt, PersonId(person), answer)
}

fn absent(test: &Test, person: u32, hours: u64) -> RosterChange {
    RosterChange::Absent(PersonId(person), test.tick, test.tick + hours * 60 * MINUTE)
}

#[test]
fn points_are_given_out_once_for_least_travel_within_capacity() {
    let mut test = Test::new();
    let said = test.step(0, []).duties();
    // 0-1 and 2-3 at 2 km each, or 1 and 4 shared otherwise: 0+1, 0+1, 0.
    assert_eq!(said, [(0, Some(0)), (1, Some(0)), (2, Some(1)), (3, Some(1)), (4, Some(2))]);
    assert_eq!(test.step(MINUTE, []).duties(), []);
}

#[test]
fn a_task_goes_to_who_looks_after_the_point_and_ends_with_done() {
    let mut test = Test::begun();
    let said = test.step(1, [raised(7, 1, 3)]);
    assert_eq!(said.brief(), [(7, Assigned, Some(1), TaskReason::Standing)]);
    let candidates: Vec<u32> = said.tasks().next().unwrap().candidates.iter().map(|c| c.person.0).collect();
    assert_eq!(candidates, [1, 2, 0], "explained by who else there was, nearest first");
    let words = [TaskAnswer::Told, TaskAnswer::Accept, TaskAnswer::Done]
        .map(|answer| test.step(1, [answered(7, 1, 1, answer)]).brief()[0].1);
    assert_eq!(words, [Told, Accepted, Done]);
    assert_eq!(test.step(1, [answered(7, 1, 1, TaskAnswer::Done)]).rejected, [Reason::TaskOver]);
    assert_eq!(test.step(1, [raised(7, 1, 3)]).rejected, [Reason::DuplicateTask]);
}

#[test]
fn an_answer_of_another_person_or_attempt_is_refused() {
    let mut test = Test::begun();
    test.step(1, [raised(7, 1, 3)]);
    for (attempt, person, task, reason) in
        [(1, 0, 7, Reason::NotYourTask), (2, 1, 7, Reason::NotYourTask), (1, 1, 8, Reason::UnknownTask)]
    {
        assert_eq!(test.step(1, [answered(task, attempt, person, TaskAnswer::Accept)]).rejected, [reason]);
    }
}

#[test]
fn who_is_absent_full_or_unwilling_is_passed_over_for_the_next_by_travel_and_load() {
    let mut test = Test::begun();
    let away = absent(&test, 1, 2);
    test.step(0, [away]);
    assert_eq!(test.step(1, [raised(1, 1, 3)]).brief(), [(1, Assigned, Some(2), TaskReason::LeastCost)]);
    // 2 km and no task cost 2000 s; 1 km and one task 1500 s.
    assert_eq!(test.step(1, [raised(2, 1, 3)]).brief(), [(2, Assigned, Some(2), TaskReason::LeastCost)]);
    assert_eq!(test.step(1, [raised(3, 1, 3)]).brief(), [(3, Assigned, Some(0), TaskReason::LeastCost)], "2 is full");
    let said = test.step(1, [answered(3, 1, 0, TaskAnswer::Decline(DeclineReason::TooFar))]).brief();
    let declined = (3, Waiting, None, TaskReason::Declined(DeclineReason::TooFar));
    assert_eq!(said, [declined, (3, Assigned, Some(3), TaskReason::NobodyBefore)]);
}

#[test]
fn what_is_not_accepted_in_time_climbs_the_ladder_and_is_late_at_its_end() {
    let mut test = Test::begun();
    test.step(0, [raised(7, 1, 3)]);
    let raised_ms = test.tick;
    assert_eq!(
        test.when_due().brief(),
        [(7, Waiting, None, TaskReason::NotAccepted), (7, Assigned, Some(3), TaskReason::LeastCost)]
    );
    assert_eq!(test.tick, raised_ms + 10 * MINUTE);
    let late = test.when_due();
    assert_eq!(late.brief(), [(7, Assigned, Some(3), TaskReason::NotAccepted)], "nobody else: it stays");
    assert!(late.tasks().next().unwrap().standing.is_overdue);
    assert_eq!(test.step(60 * MINUTE, []).brief(), [], "said once");
    assert_eq!(test.step(0, [answered(7, 2, 3, TaskAnswer::Done)]).brief()[0].1, Done);
}

#[test]
fn what_is_accepted_and_not_done_in_time_climbs_too() {
    let mut test = Test::begun();
    test.step(0, [raised(7, 1, 3)]);
    test.step(0, [answered(7, 1, 1, TaskAnswer::Accept)]);
    let raised_ms = test.tick;
    assert_eq!(test.when_due().brief()[0], (7, Waiting, None, TaskReason::NotDone));
    assert_eq!(test.tick, raised_ms + 60 * MINUTE);
}

#[test]
fn a_task_for_the_shift_is_late_when_the_shift_ends() {
    let mut test = Test::begun();
    test.step((1080 - 540 - 30) * MINUTE, [raised(7, 2, 3)]);
    test.step(0, [answered(7, 1, 1, TaskAnswer::Accept)]);
    test.when_due();
    assert_eq!(test.tick, MIDNIGHT + 1080 * MINUTE);
}

#[test]
fn at_night_the_desk_has_it_and_with_the_desk_away_it_waits_for_the_morning() {
    let mut test = Test::begun();
    test.step(18 * 60 * MINUTE, []);
    assert_eq!(test.step(0, [raised(1, 1, 3)]).brief(), [(1, Assigned, Some(3), TaskReason::NobodyBefore)]);
    let away = absent(&test, 3, 12);
    let said = test.step(0, [away]).brief();
    assert_eq!(said, [(1, Waiting, None, TaskReason::Absent)]);
    assert_eq!(test.step(0, [raised(2, 0, 3)]).brief(), [(2, Waiting, None, TaskReason::NobodyThere)]);
    while test.tick < MIDNIGHT + (1440 + 480) * MINUTE {
        let said = test.when_due();
        if test.tick == MIDNIGHT + (1440 + 480) * MINUTE {
            // On the desk's rung by then, for its deadline passed.
            assert!(said.brief().iter().all(|(_, phase, ..)| *phase == Waiting), "{:?}", said.brief());
        }
    }
}

#[test]
fn a_short_absence_moves_no_point_and_a_long_one_only_those_of_who_is_away() {
    let mut test = Test::begun();
    let short = absent(&test, 1, 2);
    assert_eq!(test.step(0, [short]).duties(), []);
    let long = absent(&test, 1, 48);
    assert_eq!(test.step(0, [long]).duties(), [(2, Some(2)), (3, None)], "five points, room for four");
    let back = RosterChange::Absent(PersonId(1), test.tick, test.tick);
    assert_eq!(test.step(MINUTE, [back]).duties(), [(2, Some(1)), (3, Some(1))]);
}

#[test]
fn all_of_one_person_goes_to_another_where_there_is_room() {
    let mut test = Test::begun();
    test.step(0, [raised(7, 1, 4)]);
    let over = |from, to: Option<u32>| RosterChange::HandedOver(PersonId(from), to.map(PersonId));
    assert_eq!(test.step(0, [over(0, Some(1))]).rejected, [Reason::NoRoom]);
    assert_eq!(test.step(0, [over(2, Some(3))]).rejected, [Reason::UnknownDuty], "another role");
    let long = absent(&test, 1, 48);
    test.step(0, [long]);
    let said = test.step(0, [over(2, None)]);
    assert_eq!(said.brief()[0], (7, Waiting, None, TaskReason::HandedOver));
    assert_eq!(said.brief()[1], (7, Assigned, Some(0), TaskReason::LeastCost));
}

#[test]
fn a_camera_that_finds_the_same_again_adds_to_the_open_task() {
    let mut test = Test::begun();
    let report = |finding, time_ms| Event::Site(SiteReport { time_ms, site: SiteId(3), finding });
    let city = city();
    let found = |finding, time_ms| told(&city, &report(finding, time_ms));
    assert!(found(Finding::Clean, 1).is_none() && found(Finding::Noise, 1).is_none(), "no such kind");
    let events: Vec<_> = [1, 2].map(|ms| found(Finding::Dust, test.tick + ms).unwrap()).into();
    let said = test.tell(&events);
    let reports: Vec<u32> = said.tasks().map(|task| task.standing.reports).collect();
    assert_eq!(reports, [2, 2], "raised with the second report, and given out");
    assert_eq!(said.tasks().last().unwrap().standing.person, Some(PersonId(1)));
}

#[test]
fn a_call_is_a_task_until_it_is_the_polices_again_and_what_was_done_stays_done() {
    let mut test = Test::begun();
    let facts = |point: u32| TaskFacts { kind: 1, at: at_km(point as i32), point: Some(PointId(point)) };
    let refer = |test: &mut Test, seq, facts| {
        test.tick += 1;
        test.tell(&[(RosterId(0), RosterNews { time_ms: test.tick, what: Heard::Referred(TaskId(7), seq, facts) })])
    };
    assert_eq!(refer(&mut test, 1, Some(facts(3))).brief(), [(7, Assigned, Some(1), TaskReason::Standing)]);
    assert_eq!(refer(&mut test, 2, Some(facts(3))).brief(), [], "nothing new");
    let moved = [(7, Waiting, None, TaskReason::Moved), (7, Assigned, Some(0), TaskReason::Standing)];
    assert_eq!(refer(&mut test, 3, Some(facts(0))).brief(), moved);
    assert_eq!(refer(&mut test, 4, None).brief(), [(7, Cancelled, Some(0), TaskReason::Withdrawn)]);
    assert_eq!(refer(&mut test, 5, None).brief(), [], "nobody has it");
    let back = refer(&mut test, 6, Some(facts(3)));
    assert_eq!(back.brief(), [(7, Assigned, Some(1), TaskReason::Standing)]);
    assert_eq!(back.tasks().next().unwrap().seq, 5, "after all that was said before");
    test.step(1, [answered(7, 1, 1, TaskAnswer::Done)]);
    assert_eq!(refer(&mut test, 7, Some(facts(3))).brief(), []);
}
