//! Whatever is told in whatever order: capacities hold, every open task is one person's who is there or nobody can take it,
//! points cost as little as can be, and a roster that is restored goes on as if it had never stopped.

use std::collections::BTreeMap;

use pathfinding::prelude::{Matrix, kuhn_munkres_min};
use proptest::prelude::*;

use super::tests::{Said, Test, answered, city, raised};
use super::*;
use crate::event::{DeclineReason, PointDuty, TaskAnswer, TaskPhase};
use crate::ids::PersonId;
use crate::network::{DutyPoint, Person, Point};

/// Something that is told; tasks and attempts are those that there are.
#[derive(Clone, Debug)]
enum Step {
    Raise(u8, u32),
    Answer(usize, u32, TaskAnswer),
    Cancel(usize),
    Absent(u32, u64),
    HandOver(u32, Option<u32>),
    Nothing,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let answer = prop_oneof![
        Just(TaskAnswer::Told),
        Just(TaskAnswer::Accept),
        Just(TaskAnswer::Done),
        Just(TaskAnswer::Decline(DeclineReason::Busy)),
    ];
    let what = prop_oneof![
        4 => (0u8..3, 0u32..5).prop_map(|(kind, point)| Step::Raise(kind, point)),
        4 => (0usize..8, 0u32..4, answer).prop_map(|(task, person, answer)| Step::Answer(task, person, answer)),
        1 => (0usize..8).prop_map(Step::Cancel),
        2 => (0u32..4, prop_oneof![Just(0), 1u64..60]).prop_map(|(person, hours)| Step::Absent(person, hours)),
        1 => (0u32..4, proptest::option::of(0u32..4)).prop_map(|(from, to)| Step::HandOver(from, to)),
        2 => Just(Step::Nothing),
    ];
    (prop_oneof![4 => 1u64..400_000, 1 => 1u64..20_000_000], what)
}

/// What the ledger would know.
#[derive(Default)]
struct Kept {
    tasks: BTreeMap<TaskId, RosterNews>,
    duties: BTreeMap<(u8, PointId), PointDuty>,
    absences: BTreeMap<PersonId, (u64, u64)>,
}

impl Kept {
    fn take(&mut self, said: &Said) {
        for word in &said.words {
            match word {
                RosterWord::Task(t) if t.standing.phase.is_over() => {
                    self.tasks.remove(&t.task);
                }
                RosterWord::Task(t) => {
                    let change = RosterChange::RestoredTask(t.task, t.facts, t.standing.clone());
                    self.tasks.insert(t.task, RosterNews { time_ms: t.raised_ms, what: Heard::Change(change) });
                }
                RosterWord::Duty(d) => {
                    self.duties.insert((d.duty.role, d.duty.point), d.duty);
                }
                RosterWord::Absence(a) => {
                    self.absences.insert(a.person, (a.from_ms, a.until_ms));
                }
            }
        }
    }

    /// As events at a start.
    fn events(&self, now_ms: u64) -> Vec<(RosterId, RosterNews)> {
        let now = |change| RosterNews { time_ms: now_ms, what: Heard::Change(change) };
        let duties = self.duties.values().map(|duty| now(RosterChange::RestoredDuty(*duty)));
        let absent = self.absences.iter().filter(|(_, (from, until))| until > from && *until > now_ms);
        let absent = absent.map(|(person, (from, until))| now(RosterChange::Absent(*person, *from, *until)));
        let mut events: Vec<_> = duties.chain(absent).chain(self.tasks.values().cloned()).collect();
        events.sort_unstable();
        events.into_iter().map(|news| (RosterId(0), news)).collect()
    }
}

/// What a step tells a roster, given what is open there.
fn told(test: &Test, step: &Step, fresh: u64) -> Vec<RosterChange> {
    let open: Vec<TaskId> = test.book.open.keys().copied().collect();
    let task = |row: usize| open.get(row % open.len().max(1)).copied();
    let now = test.tick;
    let change = match step {
        Step::Raise(kind, point) => Some(raised(fresh, *kind, *point)),
        Step::Answer(row, person, answer) => task(*row).map(|id| {
            let standing = &test.book.open[&id].standing;
            answered(id.0, standing.attempt, standing.person.map_or(*person, |person| person.0), *answer)
        }),
        Step::Cancel(row) => task(*row).map(RosterChange::Cancelled),
        Step::Absent(person, hours) => Some(RosterChange::Absent(PersonId(*person), now, now + hours * 3_600_000)),
        Step::HandOver(from, to) => Some(RosterChange::HandedOver(PersonId(*from), to.map(PersonId))),
        Step::Nothing => None,
    };
    change.into_iter().collect()
}

fn check(test: &Test, kept: &Kept) -> Result<(), TestCaseError> {
    let (roster, book) = (&city().rosters[0], &test.book);
    for person in &roster.persons {
        prop_assert!(book.tasks_of(person.id).len() <= usize::from(person.tasks), "tasks of {}", person.name);
        prop_assert!(book.points_of(person.id).len() <= usize::from(person.points), "points of {}", person.name);
    }
    let minute = city().minute_of_day(test.tick);
    for (id, task) in &book.open {
        let standing = &task.standing;
        prop_assert_eq!(standing.person.is_none(), standing.phase == TaskPhase::Waiting);
        prop_assert!(standing.person.is_none_or(|person| !book.is_absent(person, test.tick)), "{} is absent's", id);
        let Heard::Change(RosterChange::RestoredTask(_, _, last)) = &kept.tasks[id].what else { panic!("a task") };
        prop_assert_eq!(last, standing, "what was said last of {} is how it is", id);
        if standing.person.is_none() {
            let rungs = roster.ladder(task.facts.kind)[usize::from(standing.rung)..].iter();
            let can = |p: &&Person| {
                rungs.clone().any(|rung| rung.role == p.role)
                    && p.on_shift(minute)
                    && !book.is_absent(p.id, test.tick)
                    && !task.passes_over(p.id, test.tick)
                    && book.tasks_of(p.id).len() < usize::from(p.tasks)
            };
            prop_assert_eq!(roster.persons.iter().find(can).map(|p| &p.name), None, "{} waits for nothing", id);
        }
    }
    prop_assert_eq!(kept.tasks.len(), book.open.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_open_task_is_one_persons_who_may_have_it_and_a_restart_changes_nothing(
        steps in proptest::collection::vec(step(), 1..40),
        restart in 0usize..40,
    ) {
        let (mut test, mut kept) = (Test::new(), Kept::default());
        kept.take(&test.step(0, []));
        let mut again: Option<Test> = None;
        for (row, (after_ms, what)) in steps.iter().enumerate() {
            test.tick += after_ms;
            let changes = told(&test, what, 1_000 + row as u64);
            let said = test.step(0, changes.clone());
            kept.take(&said);
            check(&test, &kept)?;
            if let Some(again) = &mut again {
                again.tick = test.tick;
                again.step(0, changes);
                let standing = |test: &Test| -> Vec<_> {
                    test.book.open.iter().map(|(id, task)| (*id, task.facts, task.standing.clone())).collect()
                };
                prop_assert_eq!(standing(again), standing(&test));
                prop_assert_eq!(&again.book.duties, &test.book.duties);
            }
            if row == restart {
                let mut fresh = Test::new();
                fresh.tick = test.tick;
                fresh.tell(&kept.events(test.tick));
                again = Some(fresh);
            }
        }
    }

    #[test]
    fn points_cost_as_little_as_can_be(
        points in proptest::collection::vec((0i32..20_000_000, 0i32..20_000_000), 1..10),
        persons in proptest::collection::vec((0i32..20_000_000, 0i32..20_000_000, 1u16..4), 4..6),
    ) {
        let mut city = (*city()).clone();
        let roster = &mut city.rosters[0];
        let at = |x_mm, y_mm| Point { x_mm, y_mm };
        let person = |(row, (x, y, points)): (usize, &(i32, i32, u16))| {
            let (id, name) = (PersonId(row as u32), format!("p{row}"));
            Person { id, name, role: 0, at: at(*x, *y), points: *points, tasks: 1, shift_min: (0, 0) }
        };
        let point = |(row, (x, y)): (usize, &(i32, i32))| {
            DutyPoint { id: PointId(row as u32), name: format!("d{row}"), at: at(*x, *y), site: None }
        };
        roster.persons = persons.iter().enumerate().map(person).collect();
        roster.points = points.iter().enumerate().map(point).collect();
        let roster = &city.rosters[0];
        let columns: Vec<&Person> =
            roster.persons.iter().flat_map(|p| std::iter::repeat_n(p, usize::from(p.points))).collect();
        prop_assume!(roster.points.len() <= columns.len());
        let city = Arc::new(city.clone());
        let roster = &city.rosters[0];
        let cost = |point: &DutyPoint, person: &Person| roster.travel_ms(person.at, point.at) as i64;
        let rows = roster.points.iter().map(|point| columns.iter().map(|person| cost(point, person)).collect::<Vec<_>>());
        let (least, _) = kuhn_munkres_min(&Matrix::from_rows(rows).unwrap());
        let mut book = Book::default();
        Rosters::new(Arc::clone(&city)).step(RosterId(0), &mut book, 1, &[], &mut Outbox::new());
        let given = book.duties.values().map(|duty| {
            cost(roster.point(duty.point).unwrap(), roster.person(duty.person.unwrap()).unwrap())
        });
        prop_assert_eq!(given.sum::<i64>(), least);
    }
}
