//! Signal timing: each second each junction chooses a stage on a rolling horizon, inside its safety envelope.
//!
//! One machine a junction. It runs the change from stage to stage (yellow, all-red) itself and tells every step as a
//! command; each passes [`envelope::admit`](super::envelope::admit). When detectors fall silent it follows the local plan.
//! It takes over from what the controller says that it shows, so that its first command too is inside the envelope, and anew
//! when the controller has left.

use std::cell::OnceCell;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::claim::Asked;
use super::envelope::{Shown, admit};
use crate::Time;
use crate::decision::{Interval, LongRed, Refusal, SignalChoice, SignalCommand, SignalPlan, StageReason, Unserved};
use crate::event::{ControlMode, Lamp};
use crate::ids::{JunctionId, LinkId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::{City, Junction, SignalMode};
use crate::state::link::LaneCounts;

mod change;
mod choice;
mod claims;
mod deadlines;
mod demand;
mod field;
mod flow;
mod follow;
mod horizon;
mod listen;
mod outlook;
mod plan;
mod profile;
mod reds;
mod shares;
mod unseen;
use change::{CLEARING_MS, Change, change, stage_lamps};
use choice::Moment;
use claims::{Claims, Standing, Ways};
use deadlines::Timing;
use demand::Demand;
use field::{Field, Green, feeders};
use flow::Second;
use follow::Follower;
use listen::{LISTEN_MS, Report};
use reds::{Reds, Watch, long_red};

/// How often a junction decides, ms.
const DECIDE_MS: u64 = 1_000;
/// After the dark all heads show red for so long before the first green, ms.
const START_RED_MS: u32 = 5_000;
/// A choice that did not change is told again after so long, ms.
const REPEAT_MS: u64 = 5_000;
/// A stage that stands is ordered again after so long: a controller that hears nothing from the centre for minutes goes
/// back to its own plan, ms.
const KEEP_ALIVE_MS: u64 = 60_000;
/// So many vehicles that wait inside the junction at the end of yellow might lock it: they are left time to go, ...
const LOCKING: f32 = 1.4;
/// ... a second at a time, at most so often.
const CLEARINGS: u8 = 4;
/// Detectors that have told nothing for so long count as silent, ms.
const SILENT_MS: u64 = 300_000;

/// Something that a junction is told. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignalEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: SignalNews,
}

/// What a junction is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SignalNews {
    /// Who is near the lines of a link.
    Counts(Arc<LaneCounts>),
    /// One with priority comes, or does not any more.
    Asked(Asked),
    /// Who decides at its controller, and what each head shows.
    Shows(ControlMode, Vec<Lamp>),
    /// The plan to follow, in plan mode.
    Plan(SignalPlan),
    /// A stage is held until a time, ms, or what is held ends.
    Held(Option<u16>, u64),
}

/// What a junction says.
#[derive(Clone, Debug)]
pub enum SignalSaid {
    /// An order to the controller.
    Command(SignalCommand),
    /// Why the stage is what it is.
    Choice(SignalChoice),
    /// The envelope refused.
    Refusal(Refusal),
    /// A red has lasted too long.
    LongRed(LongRed),
    /// A unit comes to a junction that is not led.
    Unserved(Unserved),
}

/// The machine of signals.
pub struct Signals {
    city: Arc<City>,
    fields: Vec<Field>,
    timings: Vec<Timing>,
    ways: Vec<Ways>,
    reds: Vec<Reds>,
}

impl Signals {
    /// For a city's junctions.
    pub fn new(city: Arc<City>) -> Self {
        let feeders = feeders(&city);
        let fields = city.junctions.iter().map(|j| Field::new(&city, &feeders, j)).collect();
        let timings = city.junctions.iter().map(Timing::of).collect();
        let ways = city.junctions.iter().map(|j| Ways::new(&city, j)).collect();
        let reds = city.junctions.iter().map(|j| Reds::new(&city, j)).collect();
        Signals { city, fields, timings, ways, reds }
    }

    /// For each link, the junctions that listen to its lane counts.
    pub fn listeners(&self) -> Vec<Vec<JunctionId>> {
        let mut listeners = vec![Vec::new(); self.city.links.len()];
        for (junction, field) in self.city.junctions.iter().zip(&self.fields) {
            field.links().for_each(|link: LinkId| listeners[link.index()].push(junction.id));
        }
        listeners
    }
}

/// What each head shows between two stages, and for how long, ms.
pub(super) fn on_the_way(junction: &Junction, from: u16, to: u16) -> Vec<(Vec<Lamp>, u32)> {
    change(junction, &stage_lamps(junction, from), to).into_iter().map(|step| (step.lamps, step.for_ms)).collect()
}

/// Where a junction is in its sequence of stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Not in charge: it listens for what the controller shows; until when, ms.
    Listening { until_ms: Option<u64> },
    /// A stage stands.
    Green { stage: u16, since_ms: u64 },
    /// On the way to a stage: what is left of the change.
    Changing { to: u16, reason: StageReason, steps: Vec<Change>, until_ms: u64 },
}

/// What is remembered of a junction.
#[derive(Serialize, Deserialize)]
pub struct Signal {
    shown: Shown,
    phase: Phase,
    /// When the controller last said what it shows, ms.
    reported_ms: u64,
    /// Its last report, if that was of another's orders though it was taken over.
    stray: Option<Report>,
    /// In charge since, ms.
    taken_ms: Time,
    /// Whether nothing has been ordered since.
    is_new: bool,
    demand: Demand,
    claims: Claims,
    watch: Watch,
    heard_ms: u64,
    next_decision: Time,
    ordered_ms: Time,
    told: Option<(u64, (u16, u16, StageReason))>,
    follower: Follower,
    /// How often the change under way has been made longer for those inside the junction.
    clearings: u8,
}

impl Default for Signal {
    fn default() -> Self {
        let (shown, demand) = (Shown::default(), Demand::default());
        Signal {
            shown,
            phase: Phase::Listening { until_ms: None },
            reported_ms: 0,
            stray: None,
            taken_ms: 0,
            is_new: false,
            demand,
            claims: Claims::default(),
            watch: Watch::default(),
            heard_ms: 0,
            next_decision: 0,
            ordered_ms: 0,
            told: None,
            follower: Follower::default(),
            clearings: 0,
        }
    }
}

impl Machine for Signals {
    type Key = JunctionId;
    type Event = SignalEvent;
    type State = Signal;
    type Out = SignalSaid;

    fn name(&self) -> &'static str {
        "signals"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn keys(&self) -> Vec<JunctionId> {
        self.city.junctions.iter().map(|j| j.id).collect()
    }

    fn step(
        &self,
        id: JunctionId,
        signal: &mut Signal,
        tick: Time,
        events: &[(JunctionId, SignalEvent)],
        out: &mut Outbox<SignalSaid>,
    ) {
        let row = id.index();
        let (junction, field, timing) = (&self.city.junctions[row], &self.fields[row], &self.timings[row]);
        if signal.phase == (Phase::Listening { until_ms: None }) {
            signal.shown = Shown::dark(junction.heads.len());
            signal.demand = Demand::none(field, junction, tick);
            signal.heard_ms = tick;
            // What a controller said before is of a time when an engine before this one may still have given it orders.
            signal.reported_ms = tick;
            signal.phase = Phase::Listening { until_ms: Some(tick + LISTEN_MS) };
        }
        for (_, event) in events {
            match &event.what {
                SignalNews::Counts(counts) => {
                    signal.demand.hear(field, counts);
                    self.reds[row].hear(&mut signal.watch, counts);
                    signal.heard_ms = tick;
                }
                SignalNews::Asked(asked) => signal.claims.hear(asked, tick),
                SignalNews::Shows(mode, lamps) => signal.learn(junction, event.time_ms, *mode, lamps),
                SignalNews::Plan(plan) => signal.follower.hear(plan),
                SignalNews::Held(stage, until_ms) => signal.claims.hold(event.time_ms, *stage, *until_ms),
            }
        }
        signal.let_go(junction, tick);
        let (ways, reds) = (&self.ways[row], &self.reds[row]);
        let mut desk = Desk { city: &self.city, junction, field, timing, ways, reds, tick, out };
        if let Phase::Listening { until_ms: Some(until_ms) } = signal.phase {
            if tick < until_ms {
                desk.listen(signal);
                return out.wake_at(until_ms);
            }
            desk.take_over(signal);
        }
        desk.go_on(signal);
        if tick >= signal.next_decision {
            desk.decide(signal);
            signal.next_decision = signal.follower.due_ms(tick, DECIDE_MS);
        }
        out.wake_at(match &signal.phase {
            Phase::Changing { until_ms, .. } => (*until_ms).min(signal.next_decision),
            _ => signal.next_decision,
        });
    }
}

/// A junction at a tick.
struct Desk<'a> {
    city: &'a City,
    junction: &'a Junction,
    field: &'a Field,
    timing: &'a Timing,
    ways: &'a Ways,
    reds: &'a Reds,
    tick: Time,
    out: &'a mut Outbox<SignalSaid>,
}

impl Desk<'_> {
    /// The steps from what is shown to a stage; out of the dark all show red first.
    fn steps(&self, shown: &Shown, to: u16) -> Vec<Change> {
        match shown.is_dark() {
            true => change::out_of_the_dark(self.junction, shown.lamps(), START_RED_MS),
            false => change(self.junction, shown.lamps(), to),
        }
    }

    /// Takes the steps of a change that are due.
    fn go_on(&mut self, signal: &mut Signal) {
        while let Phase::Changing { to, reason, steps, until_ms } = &mut signal.phase {
            if self.tick < *until_ms {
                return;
            }
            let (to, reason) = (*to, *reason);
            if steps.is_empty() {
                if signal.demand.inside() >= LOCKING && signal.clearings < CLEARINGS {
                    if let Some(clearing) = change::clearing(signal.shown.lamps()) {
                        signal.clearings += 1;
                        steps.push(clearing);
                        continue;
                    } else if signal.clearings > 0 {
                        signal.clearings += 1;
                        *until_ms = self.tick + u64::from(CLEARING_MS);
                        continue;
                    }
                }
                signal.clearings = 0;
                let lamps = stage_lamps(self.junction, to);
                if !self.show(signal, &lamps, to, Interval::Green, reason) {
                    return;
                }
                signal.phase = Phase::Green { stage: to, since_ms: self.tick };
            } else {
                let step = steps.remove(0);
                let lamps = step.lamps.clone();
                *until_ms = self.tick + u64::from(step.for_ms);
                if !self.show(signal, &lamps, to, step.interval, reason) {
                    return;
                }
            }
        }
    }

    fn decide(&mut self, signal: &mut Signal) {
        signal.demand.age(self.field, &signal.shown, self.tick);
        self.learn(signal);
        let long = self.reds.look(&mut signal.watch, self.tick, signal.shown.lamps(), signal.shown.stage());
        for red in long {
            self.out.emit(SignalSaid::LongRed(long_red(self.junction, self.tick, red)));
        }
        let Phase::Green { stage, since_ms } = signal.phase else { return };
        signal.demand.stood_ms[usize::from(stage)] = self.tick;
        let silent = self.tick.saturating_sub(signal.heard_ms) > SILENT_MS;
        let planned = match self.junction.mode {
            SignalMode::Plan => {
                let wanted = signal.follower.wanted(self.city, self.junction, stage, since_ms, self.tick);
                Some((wanted, signal.follower.reason()))
            }
            SignalMode::Stage => {
                silent.then(|| (plan::stage_at(self.city, self.junction, self.tick), StageReason::LocalPlan))
            }
        };
        let moment = Moment {
            junction: self.junction,
            timing: self.timing,
            field: self.field,
            demand: &signal.demand,
            planned,
            stage,
            stood_ms: self.tick - since_ms,
            again_ms: DECIDE_MS,
            reckoned: OnceCell::new(),
        };
        let (ways, now_ms, stood_ms) = (self.ways, self.tick, moment.stood_ms);
        let standing = Standing { ways, now_ms, stage, stood_ms, waited_ms: signal.watch.longest_ms(now_ms) };
        let (wanted, reason) = signal.claims.bend(&standing, moment.choose());
        let told = (stage, wanted, reason);
        if !signal.told.is_some_and(|(at, before)| before == told && self.tick < at + REPEAT_MS) {
            let (junction, scores_milli) = (self.junction.id, moment.reckoned().scores_milli.clone());
            signal.told = Some((self.tick, told));
            let choice = SignalChoice { junction, time_ms: self.tick, stage, wanted, reason, scores_milli };
            self.out.emit(SignalSaid::Choice(choice));
        }
        if wanted != stage {
            let steps = change(self.junction, signal.shown.lamps(), wanted);
            signal.phase = Phase::Changing { to: wanted, reason, steps, until_ms: self.tick };
            self.go_on(signal);
        } else if self.tick >= signal.ordered_ms + KEEP_ALIVE_MS {
            let lamps = stage_lamps(self.junction, stage);
            self.show(signal, &lamps, stage, Interval::Green, reason);
        }
    }

    /// Looks at how the lanes have flowed in the last second.
    fn learn(&self, signal: &mut Signal) {
        let stage = if let Phase::Green { stage, .. } = signal.phase { Some(usize::from(stage)) } else { None };
        let hour = (self.city.minute_of_day(self.tick) / 60) as u8;
        for number in 0..self.field.rows.len() {
            let second = Second {
                now_s: (self.tick / 1000) as u32,
                hour,
                waiting: signal.demand.waiting(self.field, number),
                arriving: signal.demand.arriving(self.field, number),
                green: stage.map_or(Green::default(), |stage| self.field.releases[stage].green[number]),
                planned: self.field.rows[number].planned,
            };
            signal.demand.flows[number].second(second);
        }
    }

    /// Shows lamps if the envelope lets it; otherwise says what it refused, and the lamps stay.
    fn show(
        &mut self,
        signal: &mut Signal,
        lamps: &[Lamp],
        stage: u16,
        interval: Interval,
        reason: StageReason,
    ) -> bool {
        let (junction, at_ms) = (self.junction.id, self.tick);
        match admit(self.junction, &mut signal.shown, at_ms, lamps) {
            Ok(()) => {
                signal.ordered_ms = at_ms;
                let reason = if std::mem::take(&mut signal.is_new) { StageReason::Start } else { reason };
                let lamps = lamps.to_vec();
                self.out.emit(SignalSaid::Command(SignalCommand { junction, at_ms, stage, interval, lamps, reason }));
                true
            }
            Err((rule, head)) => {
                self.out.emit(SignalSaid::Refusal(Refusal { junction, time_ms: at_ms, rule, head }));
                self.hold(signal);
                false
            }
        }
    }

    /// After a refusal: what stands goes on standing, and the change is tried anew a second later.
    fn hold(&mut self, signal: &mut Signal) {
        if let Phase::Changing { to, reason, .. } = signal.phase {
            let steps = self.steps(&signal.shown, to);
            signal.phase = Phase::Changing { to, reason, steps, until_ms: self.tick + DECIDE_MS };
        }
    }
}
