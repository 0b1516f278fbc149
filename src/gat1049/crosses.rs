//! What is to be told of each junction: what its controller reports, or, where it has none of its own, what it was told. A
//! sink takes ticks; once a second a beat looks what has changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanming_dataflows::decision::{Interval, StageReason};
use nanming_dataflows::event::StageHold;
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;
use nanming_simulators::gbt20999::Mode;

use super::numbers::{cross_id, local};
use super::{Object, Topic};
use crate::controllers::{Fleet, Reach};
use crate::door::TickRecord;
use crate::publish::{Sink, kmh};

/// Room that a standing vehicle takes, m.
const VEHICLE_M: u64 = 7;

/// Something to be told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub(super) topic: Topic,
    pub(super) junction: JunctionId,
    pub(super) object: Object,
}

/// How far a stage that somebody holds has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It does not stand yet.
    NotYet,
    /// It stands.
    Stands,
    /// Somebody said something else since.
    Displaced,
}

/// A junction.
#[derive(Clone, Debug, Default)]
struct Cross {
    /// The stage that the engine ordered last.
    ordered: Option<u16>,
    /// The last word on a stage that is held.
    said: Option<StageHold>,
    /// The stage that the engine holds, and whether it stands.
    held: Option<(u16, bool)>,
    online: Option<bool>,
    mode_plan: Option<(&'static str, u16)>,
    /// The stage in force and since when, ms.
    stage: Option<(u16, u64)>,
    /// The one before, and how long it stood, s.
    before: Option<(u16, u64)>,
    /// When the cycle began, ms, and how long the one before was, s.
    cycle: Option<(u64, u64)>,
}

/// Sums of a link's states since the last report.
#[derive(Clone, Debug, Default)]
struct Sum {
    count: u64,
    flow_veh_h: u64,
    speed_mm_s: u64,
    density_milli_veh_km: u64,
    queue_milli_veh: u64,
}

/// All junctions.
pub struct Crosses {
    city: Arc<City>,
    fleet: Option<Arc<Fleet>>,
    agency: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    crosses: Vec<Cross>,
    sums: Vec<Sum>,
    traffic: Vec<Option<Object>>,
    /// When traffic was reported last, ms.
    reported_ms: Option<u64>,
}

impl Crosses {
    /// Of a city, with the controllers that it has in the street.
    pub fn new(city: Arc<City>, fleet: Option<Arc<Fleet>>, agency: String) -> Crosses {
        let (junctions, links) = (city.junctions.len(), city.links.len());
        let (crosses, sums) = (vec![Cross::default(); junctions], vec![Sum::default(); links]);
        let state = State { crosses, sums, traffic: vec![None; junctions], reported_ms: None };
        Crosses { city, fleet, agency, state: Mutex::new(state) }
    }

    /// What has changed, at a time of the city, ms; traffic every `traffic_ms`.
    pub(super) fn beat(&self, now_ms: u64, traffic_ms: u64) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut state = self.state();
        for junction in &self.city.junctions {
            let cross = &mut state.crosses[junction.id.index()];
            for topic in self.look(junction.id, cross, now_ms) {
                let object = self.object(topic, junction.id, cross);
                notices.extend(object.map(|object| Notice { topic, junction: junction.id, object }));
            }
        }
        let since_ms = *state.reported_ms.get_or_insert(now_ms);
        if now_ms >= since_ms + traffic_ms {
            state.reported_ms = Some(now_ms);
            notices.extend(self.report(&mut state, now_ms, (now_ms - since_ms) / 1000));
        }
        notices
    }

    /// What is known now.
    pub(super) fn now(&self, topic: Topic, junction: JunctionId) -> Option<Object> {
        let state = self.state();
        match topic {
            Topic::Traffic => state.traffic[junction.index()].clone(),
            _ => self.object(topic, junction, &state.crosses[junction.index()]),
        }
    }

    /// How far what somebody holds has come.
    pub(super) fn holds(&self, hold: &StageHold) -> Held {
        let cross = &self.state().crosses[hold.junction.index()];
        match &cross.said {
            Some(said) if said == hold && cross.held == hold.stage.map(|stage| (stage, true)) => Held::Stands,
            Some(said) if said > hold => Held::Displaced,
            _ => Held::NotYet,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a junction up to date; what of it has changed.
    fn look(&self, junction: JunctionId, cross: &mut Cross, now_ms: u64) -> Vec<Topic> {
        let (reported, locked) = (self.fleet.as_ref().and_then(|fleet| fleet.state(junction)), cross.held.is_some());
        let (online, mode_plan, stage) = match reported {
            Some(state) => {
                let online = state.reach != Reach::Unreachable;
                let mode = mode(state.reach, state.mode, locked);
                (online, mode.map(|mode| (mode, state.plan.unwrap_or(0))), state.stage)
            }
            None => (true, Some((if locked { "52" } else { "23" }, 0)), cross.ordered),
        };
        let mut changed = Vec::new();
        if cross.online.replace(online) != Some(online) {
            changed.push(Topic::State);
        }
        if cross.mode_plan != mode_plan {
            cross.mode_plan = mode_plan;
            changed.extend(mode_plan.map(|_| Topic::ModePlan));
        }
        if let Some(stage) = stage.filter(|stage| cross.stage.is_none_or(|(known, _)| known != *stage)) {
            cross.before = cross.stage.map(|(known, since_ms)| (known, (now_ms - since_ms) / 1000));
            cross.stage = Some((stage, now_ms));
            changed.push(Topic::Stage);
            if stage == 0 {
                let last_s = cross.cycle.map_or(0, |(began_ms, _)| (now_ms - began_ms) / 1000);
                cross.cycle = Some((now_ms, last_s));
                changed.push(Topic::Cycle);
            }
        }
        changed
    }

    fn object(&self, topic: Topic, junction: JunctionId, cross: &Cross) -> Option<Object> {
        let id = Object::text("CrossID", cross_id(&self.agency, junction));
        let time = |time_ms| local(&self.city, time_ms);
        let number = |stage: u16| stage + 1;
        let fields = match topic {
            Topic::State => vec![Object::text("Value", if cross.online? { "Online" } else { "Offline" })],
            Topic::ModePlan => {
                let (mode, plan) = cross.mode_plan?;
                vec![Object::text("ControlMode", mode), Object::text("PlanNo", plan)]
            }
            Topic::Stage => {
                let ((stage, since_ms), before) = (cross.stage?, cross.before.unwrap_or_default());
                vec![
                    Object::text("LastStageNo", cross.before.map_or(0, |(stage, _)| number(stage))),
                    Object::text("LastStageLen", before.1),
                    Object::text("CurStageNo", number(stage)),
                    Object::text("CurStageStartTime", time(since_ms)),
                    // How long it will stand is not known: it is decided each second.
                    Object::text("CurStageLen", 0),
                ]
            }
            Topic::Cycle => {
                let (began_ms, last_s) = cross.cycle?;
                let last = Object::text("LastCycleLen", last_s);
                vec![Object::text("StartTime", time(began_ms)), last, Object::text("AdjustFlag", 0)]
            }
            Topic::Traffic => return None,
        };
        Some(Object::of(topic.as_str(), std::iter::once(id).chain(fields)))
    }

    /// Traffic since the last report, of junctions of which anything was told.
    fn report(&self, state: &mut State, now_ms: u64, interval_s: u64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for junction in &self.city.junctions {
            let approaches = junction.approaches.iter().enumerate();
            let data: Vec<Object> = approaches
                .filter_map(|(row, approach)| {
                    let lanes = self.city.links[approach.link.index()].lanes.len();
                    data(row + 1, lanes as u64, &state.sums[approach.link.index()])
                })
                .collect();
            if data.is_empty() {
                continue;
            }
            let fields = [
                Object::text("CrossID", cross_id(&self.agency, junction.id)),
                Object::text("EndTime", local(&self.city, now_ms)),
                Object::text("Interval", interval_s),
                Object::of("DataList", data),
            ];
            let (topic, object) = (Topic::Traffic, Object::of(Topic::Traffic.as_str(), fields));
            state.traffic[junction.id.index()] = Some(object.clone());
            notices.push(Notice { topic, junction: junction.id, object });
        }
        state.sums.fill(Sum::default());
        notices
    }

    fn hear(&self, record: &TickRecord) {
        let mut state = self.state();
        for command in record.decisions.commands.iter().filter(|command| command.interval == Interval::Green) {
            state.crosses[command.junction.index()].ordered = Some(command.stage);
        }
        for choice in &record.decisions.choices {
            let held = (choice.reason == StageReason::Hold).then_some((choice.wanted, choice.stage == choice.wanted));
            state.crosses[choice.junction.index()].held = held;
        }
        for hold in &record.holds {
            let said = &mut state.crosses[hold.junction.index()].said;
            if said.as_ref().is_none_or(|said| said <= hold) {
                *said = Some(hold.clone());
            }
        }
        for link in &record.decisions.links {
            let sum = &mut state.sums[link.link.index()];
            sum.count += 1;
            sum.flow_veh_h += u64::from(link.flow_veh_h);
            sum.speed_mm_s += u64::from(link.speed_mm_s);
            sum.density_milli_veh_km += u64::from(link.density_milli_veh_km);
            sum.queue_milli_veh += u64::from(link.queue_milli_veh);
        }
    }
}

impl Sink for Arc<Crosses> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        self.hear(record);
    }
}

/// Means of an approach; none where nothing was told of it.
fn data(number: usize, lanes: u64, sum: &Sum) -> Option<Object> {
    let mean = |of: u64| of.checked_div(sum.count);
    let queue_m = mean(sum.queue_milli_veh)? * VEHICLE_M / 1000 / lanes.max(1);
    let fields = [
        Object::text("LaneNo", number),
        Object::text("Volume", mean(sum.flow_veh_h)?),
        Object::text("Speed", kmh(mean(sum.speed_mm_s)? as u32)),
        Object::text("Density", mean(sum.density_milli_veh_km)? / 1000),
        Object::text("QueueLength", queue_m),
    ];
    Some(Object::of("Data", fields))
}

/// The control mode of GA/T 1049.2; none where nobody knows.
fn mode(reach: Reach, mode: Option<Mode>, locked: bool) -> Option<&'static str> {
    Some(match (reach, mode?) {
        (Reach::Unreachable, _) => return None,
        (_, Mode(0x33)) => "11",
        (_, Mode::ALL_RED) => "12",
        (_, Mode::FLASH) => "13",
        (Reach::Manual, Mode(0x15)) => "51",
        (Reach::Manual, _) => "01",
        (Reach::Centre, _) if locked => "52",
        (Reach::Centre, Mode::CENTRE_COORDINATED) => "31",
        (Reach::Centre, _) => "23",
        (_, Mode(0x22)) => "22",
        (_, Mode(0x23)) => "31",
        _ => "21",
    })
}

#[cfg(test)]
mod tests;
