//! Forecast of speed and flow 5 to 60 min ahead, link by link: a time-of-day profile plus an online regression on what the
//! profile does not explain, with the neighbours' part in it. Learns as it serves.
//!
//! One machine a link that has ever been observed; each minute it learns from the truth that arrived and forecasts anew.
//! Speeds are shares of the free-flow speed inside.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{Lead, LinkForecast, LinkState};
use crate::ids::LinkId;
use crate::keyed::{Machine, Outbox};
use crate::network::City;

mod interval;
pub mod panel;
mod profile;
mod regression;
pub mod score;
use interval::Interval;
use profile::Profile;
use regression::Regression;

/// Lead times, min.
pub const LEADS_MIN: [u16; 12] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];
/// A link below this share of its free-flow speed is congested.
pub const CONGESTED_SHARE: f64 = 0.5;
const MINUTE_MS: u64 = 60_000;
/// Features: constant, own residual now and 5 min ago, mean residual upstream and downstream, incident.
const FEATURES: usize = 6;

/// What a link's forecaster is told. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForecastEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: Known,
}

/// What became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Known {
    /// The link's own state.
    Own {
        /// Speed as a share of free flow, 1/1000.
        speed_milli: u32,
        /// Flow, vehicles/h.
        flow_veh_h: u32,
    },
    /// A neighbour's state.
    Neighbour {
        /// Whether its traffic comes here (true), or goes there from here.
        upstream: bool,
        /// Which link.
        link: LinkId,
        /// Speed as a share of its free flow, 1/1000.
        speed_milli: u32,
    },
    /// Incidents on the link: so many more (or fewer).
    Incident(i64),
}

/// The machine of forecasts.
pub struct Forecasts {
    city: Arc<City>,
}

/// What is remembered of a link.
#[derive(Default, Serialize, Deserialize)]
pub struct Forecaster {
    profile: Profile,
    /// Own speed share, smoothed over 5 min; none before the first observation.
    speed: Option<f64>,
    flow_veh_h: f64,
    upstream: BTreeMap<LinkId, Neighbour>,
    downstream: BTreeMap<LinkId, Neighbour>,
    incidents: i64,
    /// Features of the last hour, a minute each, newest last.
    history: VecDeque<Array1<f64>>,
    models: Vec<(Regression, Interval)>,
    next_minute: Time,
}

/// A neighbour's speed share now, and its long-run mean.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Neighbour {
    now: f64,
    usual: f64,
}

impl Forecasts {
    /// For a city's links.
    pub fn new(city: Arc<City>) -> Self {
        Forecasts { city }
    }

    /// What a link's state means to the forecasters: its own and those of its neighbours.
    pub fn news(&self, neighbours: &[Vec<(LinkId, bool)>], state: &LinkState) -> Vec<(LinkId, ForecastEvent)> {
        let free = u64::from(self.city.links[state.link.index()].free_speed_mm_s.max(1));
        let speed_milli = (u64::from(state.speed_mm_s) * 1000 / free) as u32;
        let tell = |link, what| (link, ForecastEvent { time_ms: state.time_ms, what });
        let mut news = vec![tell(state.link, Known::Own { speed_milli, flow_veh_h: state.flow_veh_h })];
        news.extend(
            neighbours[state.link.index()]
                .iter()
                .map(|&(link, upstream)| tell(link, Known::Neighbour { upstream, link: state.link, speed_milli })),
        );
        news
    }

    /// For each link, the links to which it is a neighbour, and whether it is upstream of them.
    pub fn neighbours(&self) -> Vec<Vec<(LinkId, bool)>> {
        let mut ahead = vec![Vec::new(); self.city.links.len()];
        for m in &self.city.movements {
            let (from, to) = (self.city.link_of(m.from).id, self.city.link_of(m.to).id);
            if from != to {
                ahead[from.index()].push((to, true));
                ahead[to.index()].push((from, false));
            }
        }
        ahead.iter_mut().for_each(|list| {
            list.sort_unstable();
            list.dedup();
        });
        ahead
    }
}

impl Machine for Forecasts {
    type Key = LinkId;
    type Event = ForecastEvent;
    type State = Forecaster;
    type Out = LinkForecast;

    fn name(&self) -> &'static str {
        "forecasts"
    }

    fn step(
        &self,
        id: LinkId,
        state: &mut Forecaster,
        tick: Time,
        events: &[(LinkId, ForecastEvent)],
        out: &mut Outbox<LinkForecast>,
    ) {
        for (_, event) in events {
            state.hear(event.what);
        }
        if state.speed.is_none() {
            return;
        }
        if state.next_minute == 0 {
            state.models = LEADS_MIN.iter().map(|lead| (Regression::new(*lead), Interval::new(*lead))).collect();
        } else if tick >= state.next_minute {
            state.learn(self.city.as_ref(), tick);
            out.emit(state.forecast(&self.city, id, tick));
        }
        if tick >= state.next_minute {
            let shift = u64::from(id.0) * 7_919 % MINUTE_MS;
            state.next_minute = (tick.saturating_sub(shift) / MINUTE_MS + 1) * MINUTE_MS + shift;
            out.wake_at(state.next_minute);
        }
    }
}

impl Forecaster {
    fn hear(&mut self, what: Known) {
        match what {
            Known::Own { speed_milli, flow_veh_h } => {
                let speed = f64::from(speed_milli) / 1000.0;
                self.speed = Some(self.speed.map_or(speed, |s| s + (speed - s) / 15.0));
                self.flow_veh_h += (f64::from(flow_veh_h) - self.flow_veh_h) / 5.0;
            }
            Known::Neighbour { upstream, link, speed_milli } => {
                let speed = f64::from(speed_milli) / 1000.0;
                let side = if upstream { &mut self.upstream } else { &mut self.downstream };
                let neighbour = side.entry(link).or_insert(Neighbour { now: speed, usual: speed });
                neighbour.now += (speed - neighbour.now) / 15.0;
                neighbour.usual += (speed - neighbour.usual) / 1000.0;
            }
            Known::Incident(more) => self.incidents += more,
        }
    }

    fn features(&self, residual: f64) -> Array1<f64> {
        let before = self.history.iter().rev().nth(4).map_or(residual, |x| x[1]);
        let incident = if self.incidents > 0 { 1.0 } else { 0.0 };
        Array1::from_vec(vec![1.0, residual, before, mean(&self.upstream), mean(&self.downstream), incident])
    }

    /// Learns from the truth of this minute, and notes the features of it.
    fn learn(&mut self, city: &City, tick: Time) {
        let Some(speed) = self.speed else { return };
        let residual = speed - self.profile.speed_at(city, tick);
        for (lead, (model, interval)) in LEADS_MIN.iter().zip(&mut self.models) {
            let age = usize::from(*lead);
            if let Some(features) = self.history.len().checked_sub(age).and_then(|row| self.history.get(row)) {
                let error = model.update(features, residual);
                interval.update(error);
            }
        }
        self.profile.update(city, tick, speed, self.flow_veh_h);
        let features = self.features(speed - self.profile.speed_at(city, tick));
        if self.history.len() == usize::from(LEADS_MIN[LEADS_MIN.len() - 1]) {
            self.history.pop_front();
        }
        self.history.push_back(features);
    }

    fn forecast(&self, city: &City, id: LinkId, tick: Time) -> LinkForecast {
        let free = f64::from(city.links[id.index()].free_speed_mm_s);
        let mm_s = |share: f64| (share.clamp(0.01, 1.2) * free) as u32;
        let lead = |(&lead_min, (model, interval)): (&u16, &(Regression, Interval))| {
            let then = tick + u64::from(lead_min) * MINUTE_MS;
            let features = self.history.back();
            let residual = features.map_or(0.0, |x| model.predict(x));
            let expected = (self.profile.speed_at(city, then) + residual).clamp(0.01, 1.2);
            let usual = self.profile.flow_at(city, then);
            let fade = 0.95f64.powf(f64::from(lead_min) / 5.0);
            let flow = usual + fade * (self.flow_veh_h - self.profile.flow_at(city, tick));
            Lead {
                lead_min,
                speed_mm_s: mm_s(expected),
                low_mm_s: mm_s(expected + interval.low()),
                high_mm_s: mm_s(expected + interval.high()),
                flow_veh_h: flow.max(0.0) as u32,
                congested_milli: (interval.below(CONGESTED_SHARE - expected) * 1000.0) as u16,
            }
        };
        LinkForecast { link: id, time_ms: tick, leads: LEADS_MIN.iter().zip(&self.models).map(lead).collect() }
    }
}

fn mean(neighbours: &BTreeMap<LinkId, Neighbour>) -> f64 {
    neighbours.values().map(|n| n.now - n.usual).sum::<f64>() / neighbours.len().max(1) as f64
}
