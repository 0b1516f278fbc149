//! Persons of rosters: each accepts a task after a while, does it, and says so; now and then one has too much to do. What
//! somebody has looked at on a real phone is that person's.

use std::collections::{BTreeMap, BTreeSet};

use nanming_dataflows::decision::{RosterTask, RosterWord, TaskReason};
use nanming_dataflows::event::{DeclineReason, Event, RosterChange, RosterEvent, TaskAnswer, TaskPhase};
use nanming_dataflows::ids::{PersonId, RosterId, TaskId};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{lognormal_ms, mix, stream};

/// Share of tasks that are declined.
const DECLINED: f64 = 0.02;
/// Of the time that is given, the share after which half of the tasks are accepted, and the one after which half are done.
const SHARES: (f64, f64) = (0.15, 0.25);
/// No one needs longer than so much of the time that is given.
const LATEST: f64 = 0.8;
/// Half of the tasks take no longer than this once they are accepted, however much time is given, ms.
const WORK_MS: f64 = 5_400_000.0;
/// How much times differ.
const SIGMA: f64 = 0.6;

type Which = (RosterId, TaskId);

/// What a person will say.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at_ms: u64,
    attempt: u16,
    person: PersonId,
    answer: TaskAnswer,
    done_by_ms: u64,
}

/// All persons of all rosters.
#[derive(Clone, Debug)]
pub(super) struct Persons {
    seed: u64,
    answers: BTreeMap<Which, Answer>,
    due: BTreeSet<(u64, Which)>,
}

impl Persons {
    /// Who have no task yet.
    pub(super) fn new(seed: u64) -> Self {
        Persons { seed, answers: BTreeMap::new(), due: BTreeSet::new() }
    }

    /// What a roster says.
    pub(super) fn hear(&mut self, word: &RosterWord, now_ms: u64) {
        let RosterWord::Task(said) = word else { return };
        let which = (said.roster, said.task);
        let expected = self.answers.get(&which).filter(|answer| answer.attempt == said.standing.attempt);
        match (said.standing.phase, expected) {
            (TaskPhase::Assigned, None) => self.accept(which, said, now_ms),
            (TaskPhase::Assigned, Some(_)) => {}
            // It was their own word.
            (TaskPhase::Accepted, Some(answer)) if answer.answer == TaskAnswer::Done => {}
            (TaskPhase::Accepted, None) if said.reason == TaskReason::Restored => self.work(which, said, now_ms),
            _ => self.forget(which),
        }
    }

    fn accept(&mut self, which: Which, said: &RosterTask, now_ms: u64) {
        let standing = &said.standing;
        let Some(person) = standing.person else { return };
        let mut rng = self.chance(which.1, standing.attempt);
        let declines = rng.random_bool(DECLINED);
        let answer = if declines { TaskAnswer::Decline(DeclineReason::Busy) } else { TaskAnswer::Accept };
        let time_ms = standing.accept_by_ms.min(standing.done_by_ms).saturating_sub(now_ms);
        let at_ms = now_ms + within(&mut rng, time_ms, SHARES.0, f64::INFINITY);
        let (attempt, done_by_ms) = (standing.attempt, standing.done_by_ms);
        self.expect(which, Answer { at_ms, attempt, person, answer, done_by_ms });
    }

    fn work(&mut self, which: Which, said: &RosterTask, now_ms: u64) {
        let Some(person) = said.standing.person else { return };
        let (attempt, done_by_ms) = (said.standing.attempt, said.standing.done_by_ms);
        let accepted = Answer { at_ms: now_ms, attempt, person, answer: TaskAnswer::Accept, done_by_ms };
        self.do_it(which, accepted);
    }

    fn do_it(&mut self, which: Which, accepted: Answer) {
        let mut rng = self.chance(which.1, accepted.attempt ^ 1 << 15);
        let time_ms = accepted.done_by_ms.saturating_sub(accepted.at_ms);
        let at_ms = accepted.at_ms + within(&mut rng, time_ms, SHARES.1, WORK_MS);
        self.expect(which, Answer { at_ms, answer: TaskAnswer::Done, ..accepted });
    }

    /// What persons say up to now.
    pub(super) fn advance(&mut self, now_ms: u64, out: &mut Vec<Event>) {
        while let Some((at_ms, which)) = self.due.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms) {
            self.due.pop_first();
            let Some(said) = self.answers.remove(&which) else { continue };
            let change = RosterChange::Answered(which.1, said.attempt, said.person, said.answer);
            out.push(Event::Roster(RosterEvent { time_ms: at_ms, roster: which.0, change }));
            if said.answer == TaskAnswer::Accept {
                self.do_it(which, said);
            }
        }
    }

    fn expect(&mut self, which: Which, answer: Answer) {
        self.forget(which);
        self.due.insert((answer.at_ms, which));
        self.answers.insert(which, answer);
    }

    fn forget(&mut self, which: Which) {
        if let Some(answer) = self.answers.remove(&which) {
            self.due.remove(&(answer.at_ms, which));
        }
    }

    /// The same for a task however many others there are.
    fn chance(&self, task: TaskId, attempt: u16) -> ChaCha8Rng {
        stream(mix(self.seed ^ mix(task.0 ^ u64::from(attempt) << 40)), 10)
    }
}

/// After so long: half of all within a `share` of the time that is given or `most_ms`, and all before it is over; at least
/// a second later.
fn within(rng: &mut ChaCha8Rng, given_ms: u64, share: f64, most_ms: f64) -> u64 {
    let given_ms = given_ms as f64;
    let drawn_ms = lognormal_ms(rng, (given_ms * share).min(most_ms), SIGMA);
    drawn_ms.min((given_ms * LATEST) as u64).max(1_000)
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{TaskFacts, TaskStanding};
    use nanming_dataflows::network::Point;

    use super::*;

    const MINUTE: u64 = 60_000;

    fn task(task: u64, phase: TaskPhase, attempt: u16) -> RosterWord {
        let person = (phase != TaskPhase::Waiting).then_some(PersonId(4));
        let (accept_by_ms, done_by_ms) = (15 * MINUTE, 480 * MINUTE);
        RosterWord::Task(RosterTask {
            roster: RosterId(0),
            task: TaskId(task),
            seq: 1,
            time_ms: 0,
            raised_ms: 0,
            facts: TaskFacts { kind: 0, at: Point { x_mm: 0, y_mm: 0 }, point: None },
            standing: TaskStanding { phase, person, attempt, accept_by_ms, done_by_ms, ..TaskStanding::default() },
            reason: TaskReason::Standing,
            candidates: Vec::new(),
        })
    }

    /// When and what they say until all is over.
    fn said(persons: &mut Persons) -> Vec<(u64, TaskId, TaskAnswer)> {
        let mut out = Vec::new();
        persons.advance(u64::MAX, &mut out);
        let answer = |event| match event {
            Event::Roster(RosterEvent { time_ms, change: RosterChange::Answered(task, _, _, answer), .. }) => {
                (time_ms, task, answer)
            }
            other => panic!("{other:?}"),
        };
        out.into_iter().map(answer).collect()
    }

    #[test]
    fn tasks_are_accepted_and_done_in_time_and_seldom_declined() {
        let mut persons = Persons::new(1);
        (0..500).for_each(|id| persons.hear(&task(id, TaskPhase::Assigned, 1), 0));
        let said = said(&mut persons);
        let count = |answer: TaskAnswer| said.iter().filter(|(.., said)| *said == answer).count();
        let declined = count(TaskAnswer::Decline(DeclineReason::Busy));
        assert!((2..30).contains(&declined), "{declined}");
        assert_eq!((count(TaskAnswer::Accept), count(TaskAnswer::Done)), (500 - declined, 500 - declined));
        let late = |(at_ms, _, answer): &&(u64, TaskId, TaskAnswer)| {
            *at_ms >= if *answer == TaskAnswer::Done { 480 * MINUTE } else { 15 * MINUTE }
        };
        assert_eq!(said.iter().find(late), None);
    }

    #[test]
    fn the_same_task_is_answered_alike_whatever_else_there_is() {
        let alone = {
            let mut persons = Persons::new(1);
            persons.hear(&task(7, TaskPhase::Assigned, 1), 0);
            said(&mut persons)
        };
        let mut persons = Persons::new(1);
        (0..20).rev().for_each(|id| persons.hear(&task(id, TaskPhase::Assigned, 1), 0));
        let mut among = said(&mut persons);
        among.retain(|(_, id, _)| *id == TaskId(7));
        assert_eq!(among, alone);
        let mut other = Persons::new(2);
        other.hear(&task(7, TaskPhase::Assigned, 1), 0);
        assert_ne!(said(&mut other), alone);
    }

    #[test]
    fn what_is_taken_away_or_looked_at_on_a_real_phone_is_not_theirs() {
        for phase in [TaskPhase::Told, TaskPhase::Waiting, TaskPhase::Cancelled, TaskPhase::Accepted] {
            let mut persons = Persons::new(1);
            persons.hear(&task(7, TaskPhase::Assigned, 1), 0);
            persons.hear(&task(7, phase, 1), 1);
            assert_eq!(said(&mut persons), [], "{phase:?}");
        }
    }

    #[test]
    fn what_was_accepted_before_the_start_is_done() {
        let mut persons = Persons::new(1);
        let mut restored = task(7, TaskPhase::Accepted, 2);
        persons.hear(&restored, 0);
        assert_eq!(said(&mut persons), [], "a real person did that");
        if let RosterWord::Task(task) = &mut restored {
            task.reason = TaskReason::Restored;
        }
        persons.hear(&restored, 0);
        assert_eq!(said(&mut persons).iter().map(|(.., answer)| *answer).collect::<Vec<_>>(), [TaskAnswer::Done]);
    }
}
