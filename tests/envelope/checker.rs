//! A checker of the safety envelope that shares no code with it: it keeps what each head has shown, run by run, and reads the
//! rules off that.

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{Conflict, Junction};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// What a head has shown: the lamp, and from when.
type Run = (Lamp, u64);

/// Watches one junction. What it sees first is taken as given.
pub(crate) struct Checker<'a> {
    junction: &'a Junction,
    runs: Vec<Vec<Run>>,
    last_ms: u64,
    /// By stage: when it last stood, ms.
    stood_ms: Vec<u64>,
    /// The longest time that people on foot had to wait for a stage, ms.
    pub(crate) longest_walk_ms: u64,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(junction: &'a Junction) -> Self {
        let (runs, stood_ms) = (vec![Vec::new(); junction.heads.len()], vec![0; junction.stages.len()]);
        Checker { junction, runs, last_ms: 0, stood_ms, longest_walk_ms: 0 }
    }

    pub(crate) fn lamps(&self) -> Vec<Lamp> {
        self.runs.iter().filter_map(|run| run.last().map(|(lamp, _)| *lamp)).collect()
    }

    /// Stages whose lights are exactly what is shown.
    fn standing(&self) -> Option<usize> {
        let lamps = self.lamps();
        self.junction.stages.iter().position(|s| s.lights.iter().map(|l| l.lamp()).eq(lamps.iter().copied()))
    }

    /// Panics when these lamps may not follow.
    pub(crate) fn see(&mut self, at_ms: u64, lamps: &[Lamp]) {
        assert_eq!(lamps.len(), self.junction.heads.len());
        assert!(at_ms >= self.last_ms, "time runs backwards");
        assert!(!lamps.contains(&Lamp::Off), "a lamp is switched off");
        self.note_stages(at_ms);
        if !self.runs[0].is_empty() {
            self.check_people_on_foot(at_ms, lamps);
        }
        self.last_ms = at_ms;
        for (head, lamp) in lamps.iter().enumerate() {
            if self.runs[head].last().map(|run| run.0) != Some(*lamp) {
                self.runs[head].push((*lamp, at_ms));
            }
        }
        (0..lamps.len()).for_each(|head| self.check_turn(head, at_ms));
        for a in 0..lamps.len() {
            (0..lamps.len()).filter(|b| *b != a).for_each(|b| self.check_pair(a, b, at_ms));
        }
    }

    /// People on foot wait for every stage that they walk in, except while it stands.
    fn note_stages(&mut self, at_ms: u64) {
        let standing = self.standing();
        for (stage, stood_ms) in self.stood_ms.iter_mut().enumerate() {
            if Some(stage) == standing || *stood_ms == 0 {
                *stood_ms = at_ms;
            } else if self.junction.stages[stage].walk_ms > 0 {
                self.longest_walk_ms = self.longest_walk_ms.max(at_ms - *stood_ms);
            }
        }
    }

    fn check_people_on_foot(&self, at_ms: u64, lamps: &[Lamp]) {
        let Some(stage) = self.standing().filter(|_| self.lamps() != lamps) else { return };
        let since_ms = self.runs.iter().filter_map(|run| run.last()).map(|(_, from)| *from).max().unwrap_or(0);
        let needs_ms = u64::from(self.junction.stages[stage].walk_ms + self.junction.stages[stage].clearance_ms);
        let stood_ms = at_ms - since_ms;
        assert!(stood_ms >= needs_ms, "stage {stage} ends after {stood_ms} ms, people on foot need {needs_ms} ms");
    }

    fn check_turn(&self, head: usize, at_ms: u64) {
        let runs = &self.runs[head];
        let [.., (before, since_ms), (now, from_ms)] = runs[..] else { return };
        if from_ms != at_ms {
            return;
        }
        let times = &self.junction.heads[head];
        match (before.is_green(), before, now) {
            (true, _, next) if next.is_green() => {}
            (true, _, Lamp::Yellow) => {
                let green_ms = at_ms - green_since(runs);
                assert!(green_ms >= u64::from(times.min_green_ms), "head {head}: green of only {green_ms} ms");
            }
            (false, Lamp::Yellow, Lamp::Red) => {
                assert!(at_ms - since_ms >= u64::from(times.yellow_ms), "head {head}: yellow too short");
            }
            (false, Lamp::Red, next) => assert!(next.is_green(), "head {head}: red to {next:?}"),
            (_, from, next) => panic!("head {head}: {from:?} to {next:?}"),
        }
    }

    /// `a` against another that conflicts: what both show now, and the time between the end of `b` and the start of `a`.
    fn check_pair(&self, a: usize, b: usize, at_ms: u64) {
        let conflict = self.junction.conflicts.get(a, b);
        let (lamp_a, from_a) = *self.runs[a].last().unwrap();
        let (lamp_b, from_b) = *self.runs[b].last().unwrap();
        let clears = |lamp: Lamp| lamp.is_green() || lamp == Lamp::Yellow;
        if conflict == Conflict::None || !clears(lamp_a) {
            return;
        }
        if clears(lamp_b) {
            assert_ne!(conflict, Conflict::Hard, "heads {a} and {b} go together");
            let yields = if conflict == Conflict::FirstYields { lamp_a } else { lamp_b };
            assert_ne!(yields, Lamp::Protected, "heads {a} and {b} go together and neither yields");
        }
        let before = |head: usize| self.runs[head].iter().rev().nth(1).map(|run| run.0);
        let turned = from_a == at_ms && self.runs[a].len() > 1;
        let starts = turned && lamp_a.is_green() && (lamp_a == Lamp::Protected || before(a) == Some(Lamp::Red));
        if starts && lamp_b == Lamp::Red && self.runs[b].len() > 1 {
            let all_red_ms = u64::from(self.junction.all_red_ms);
            assert!(at_ms - from_b >= all_red_ms, "head {a} starts {} ms after {b} went red", at_ms - from_b);
        }
        let exposed = from_b == at_ms && before(b) == Some(Lamp::Protected) && lamp_b == Lamp::Permissive;
        assert!(!(starts && exposed), "head {b} must give way to {a} from one moment to the next");
    }
}

/// Since when a head's last green runs, protected and permissive as one.
fn green_since(runs: &[Run]) -> u64 {
    let greens = runs.iter().rev().skip_while(|(lamp, _)| !lamp.is_green());
    greens.take_while(|(lamp, _)| lamp.is_green()).map(|(_, from)| *from).last().unwrap_or(0)
}

pub(crate) fn below(random: &mut ChaCha8Rng, n: usize) -> usize {
    (random.next_u64() % n as u64) as usize
}
