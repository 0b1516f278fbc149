//! The measures of the running engine, all of them, in the format of Prometheus. Handles are resolved once here; they are
//! moved per tick or once a second, never per event. Names: `nanming_<what>_<unit>[_total]`. Labels are bounded by the
//! city: streams, reasons, junctions, districts, venues, lead times; never a camera, plate, call or unit.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nanming_dataflows::decision::{Decisions, Reason, SignalCommand, StageReason, Waiting};
use nanming_dataflows::event::{Batch, CallPhase, Priority};
use nanming_dataflows::network::City;
use prometheus::{Gauge, Histogram, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

use crate::door::TickRecord;

mod controllers;
mod cover;
mod crowds;
mod dispatch;
mod forecasts;
mod intake;
mod kafka;
mod labels;
mod make;
mod process;
mod rosters;
mod snapshots;
mod travel;
mod webhooks;
use labels::{ACK, PHASES, PRIORITIES, RESPONSE, STAGE_REASONS, TICK};
use make::Make;

pub use controllers::ControllerMeasures;
pub use cover::CoverMeasures;
pub use crowds::CrowdMeasures;
pub use dispatch::DispatchMeasures;
pub use forecasts::ForecastMeasures;
pub use kafka::KafkaMeasures;
pub use rosters::RosterMeasures;
pub use snapshots::SnapshotMeasures;
pub use travel::TravelMeasures;
pub use webhooks::WebhookMeasures;

/// Ticks over which [`Metrics::tick_p99_ms`] looks back.
const RECENT_TICKS: usize = 2048;

/// Every measure.
pub struct Metrics {
    registry: Registry,
    ticks: IntCounter,
    tick_latency: Histogram,
    recent_ticks_us: Mutex<VecDeque<u32>>,
    in_flight: IntGauge,
    city_time: Gauge,
    events: Vec<(&'static str, IntCounter)>,
    dead_letters: IntCounterVec,
    dead_letters_unkept: IntCounter,
    sampled: IntCounterVec,
    late: IntCounterVec,
    recorded: IntCounter,
    unrecorded: IntCounter,
    http_refusals: IntCounterVec,
    cameras_online: IntGauge,
    commit: Histogram,
    audit: Histogram,
    commit_failures: IntCounter,
    clock_jumps: IntCounter,
    clock_ahead: Gauge,
    ledger_distrusted: IntGauge,
    ledger_waiting: IntGauge,
    conflicts: IntCounter,
    accept: Histogram,
    push: Histogram,
    ack: Histogram,
    dispatch: DispatchMeasures,
    commands: Vec<(StageReason, IntCounter)>,
    commands_held: IntCounter,
    refusals: IntCounter,
    long_reds: IntCounterVec,
    unserved: IntCounter,
    violations: IntCounter,
    classified: IntCounterVec,
    acknowledged: Histogram,
    reached: Vec<(Priority, Histogram)>,
    open_calls: Vec<(Priority, IntGauge)>,
    calls: Vec<(CallPhase, IntGauge)>,
    available_units: IntGauge,
    onsets: IntGauge,
    junction_stage: Vec<IntGauge>,
    junction_green_age: Vec<Gauge>,
    junction_cycle: Vec<Gauge>,
    district_speed: Vec<Gauge>,
    district_congested: Vec<IntGauge>,
    district_calls: Vec<IntGauge>,
    district_units: Vec<IntGauge>,
    /// Of Kafka.
    pub kafka: KafkaMeasures,
    /// Of venues.
    pub crowds: CrowdMeasures,
    /// Of cover.
    pub cover: CoverMeasures,
    /// Of rosters.
    pub rosters: RosterMeasures,
    /// Of forecasts.
    pub forecasts: ForecastMeasures,
    /// Of signal controllers.
    pub controllers: ControllerMeasures,
    /// Of public travel information.
    pub travel: TravelMeasures,
    /// Of webhooks.
    pub webhooks: WebhookMeasures,
    /// Of snapshots.
    pub snapshots: SnapshotMeasures,
    terminals: IntGauge,
    event_streams: IntGauge,
    resident: IntGauge,
    cpu: prometheus::Counter,
}

/// The state of the city, as the gauges show it; taken once a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// City time, ms.
    pub time_ms: u64,
    /// Open calls by priority.
    pub open_calls: Vec<(Priority, usize)>,
    /// Open calls by phase.
    pub calls: Vec<(CallPhase, usize)>,
    /// Units ready for a task.
    pub available_units: usize,
    /// Links that are about to congest.
    pub onsets: usize,
    /// By junction: the stage in force, and how long its green stands, ms (0 in yellow and all-red).
    pub junctions: Vec<(u16, u64)>,
    /// By district: mean speed in km/h, links congested.
    pub districts: Vec<(f64, usize)>,
    /// By district: calls open, and units of its grids that are available.
    pub district_loads: Vec<(u32, u32)>,
}

impl Metrics {
    /// Makes and registers every measure for a city.
    pub fn new(city: &City) -> Metrics {
        let make = Make::new();
        let junctions: Vec<&str> = city.junctions.iter().map(|j| j.name.as_str()).collect();
        let districts: Vec<&str> = city.districts.iter().map(|d| d.name_en.as_str()).collect();
        let links = last(make.int_gauges("district_links", "Links, congested or not.", "district", named(&districts)));
        city.links.iter().for_each(|link| links[link.district.index()].inc());
        let metrics = Metrics {
            ticks: make.counter("ticks_total", "Ticks finished."),
            tick_latency: make.histogram(
                "tick_latency_seconds",
                "From the door's closing a tick to its decisions.",
                TICK,
            ),
            recent_ticks_us: Mutex::new(VecDeque::with_capacity(RECENT_TICKS)),
            in_flight: make.int_gauge("ticks_in_flight", "Ticks inside the engine: closed, not finished."),
            city_time: make.gauge("city_time_seconds", "The city's clock, seconds since the Unix epoch."),
            events: make.counters("events_total", "Events taken, by stream.", "stream", streams()),
            dead_letters: make.counter_vec(
                "dead_letters_total",
                "Events refused, by stream and reason.",
                &["stream", "reason"],
            ),
            sampled: make.counter_vec(
                "events_sampled_total",
                "Sensor events left out because they came faster than the engine decides; the last of each sensor stays.",
                &["stream"],
            ),
            late: make.counter_vec(
                "events_late_total",
                "Sensor events that came when the windows they belong to were over: they count nowhere in the flow.",
                &["stream"],
            ),
            dead_letters_unkept: make.counter(
                "dead_letters_unkept_total",
                "Events refused of which only the count is kept: the disk was too slow, or failed.",
            ),
            recorded: make.counter("recorded_ticks_total", "Ticks written to the recording."),
            unrecorded: make.counter(
                "recording_left_out_ticks_total",
                "Ticks that are missing in the recording: the disk was too slow, or failed.",
            ),
            http_refusals: make.counter_vec(
                "http_refusals_total",
                "Requests whose sender was not let in, by way in and reason.",
                &["door", "reason"],
            ),
            cameras_online: make.int_gauge("cameras_online", "Devices registered by GA/T 1400 that say they live."),
            commit: make.histogram("ledger_commit_seconds", "Time of a ledger commit.", TICK),
            audit: make.histogram("audit_seconds", "Time of a ledger commit that its audit records took.", TICK),
            commit_failures: make.counter("ledger_commit_failures_total", "Ledger commits that failed."),
            clock_jumps: make.counter(
                "clock_jumps_total",
                "Times that city time went on by ten seconds more than had elapsed.",
            ),
            clock_ahead: make.gauge(
                "clock_ahead_seconds",
                "City time ahead of the machine's clock, which was set back.",
            ),
            ledger_distrusted: make.int_gauge(
                "ledger_distrusted",
                "1: a sync of the ledger failed; the engine ends when the disk works again.",
            ),
            ledger_waiting: make.int_gauge("ledger_waiting_ticks", "Finished ticks that wait for a ledger that fails."),
            conflicts: make.counter(
                "ledger_conflicts_total",
                "Calls and assignments whose IDs the ledger had already, of others: must stay 0.",
            ),
            accept: make.histogram("call_accept_seconds", "From a call's POST to its acceptance.", TICK),
            push: make.histogram(
                "assignment_push_seconds",
                "From a call's arrival to the push of its first assignment.",
                TICK,
            ),
            ack: make.histogram("ack_seconds", "City time from an assignment to its unit's first answer.", ACK),
            acknowledged: make.histogram(
                "call_acknowledged_seconds",
                "City time from a call to the first unit's acceptance, with which it departs.",
                RESPONSE,
            ),
            reached: make.histograms(
                ("call_reached_seconds", "City time from a call to the first unit's arrival."),
                RESPONSE,
                "priority",
                PRIORITIES,
            ),
            classified: make.counter_vec(
                "calls_classified_total",
                "Calls of which words decided something, by the rule that fired.",
                &["rule"],
            ),
            dispatch: DispatchMeasures::new(&make),
            commands: make.counters("signal_commands_total", "Signal commands, by reason.", "reason", STAGE_REASONS),
            commands_held: make.counter(
                "signal_commands_held_total",
                "Signal commands that did not leave: too late, or following from one that did not leave.",
            ),
            refusals: make.counter("envelope_refusals_total", "Signal changes that the safety envelope held back."),
            long_reds: make.counter_vec(
                "long_reds_total",
                "Reds that lasted longer than their junction allows, with somebody waiting: vehicles, or people on foot.",
                &["waiting"],
            ),
            unserved: make.counter(
                "units_unserved_total",
                "Units on urgent calls that came to a junction whose controller was not led, so that nothing turned green for them.",
            ),
            violations: make.counter(
                "envelope_violations_total",
                "Signal commands outside their envelope that the engine let pass: must stay 0.",
            ),
            open_calls: make.int_gauges("calls_open", "Open calls, by priority.", "priority", PRIORITIES),
            calls: make.int_gauges("calls", "Open calls, by phase.", "phase", PHASES[..4].iter().copied()),
            available_units: make.int_gauge("units_available", "Units ready for a task."),
            onsets: make.int_gauge("links_about_to_congest", "Links expected to congest within the hour."),
            junction_stage: last(make.int_gauges("junction_stage", "Stage in force.", "junction", named(&junctions))),
            junction_green_age: last(make.gauges(
                "junction_green_age_seconds",
                "How long the green in force stands.",
                "junction",
                named(&junctions),
            )),
            junction_cycle: last(make.gauges(
                "junction_cycle_seconds",
                "Cycle of the plan of a junction in plan mode; 0: none was made.",
                "junction",
                named(&junctions),
            )),
            district_speed: last(make.gauges("district_speed_kmh", "Mean speed.", "district", named(&districts))),
            district_congested: last(make.int_gauges(
                "district_congested_links",
                "Links at level of service F.",
                "district",
                named(&districts),
            )),
            district_calls: last(make.int_gauges("district_calls_open", "Open calls.", "district", named(&districts))),
            district_units: last(make.int_gauges(
                "district_units_available",
                "Units ready for a task, by the district of their home grid.",
                "district",
                named(&districts),
            )),
            kafka: KafkaMeasures::new(&make),
            crowds: CrowdMeasures::new(&make, city),
            cover: CoverMeasures::new(&make, city),
            rosters: RosterMeasures::new(&make, city),
            forecasts: ForecastMeasures::new(&make),
            controllers: ControllerMeasures::new(&make),
            travel: TravelMeasures::new(&make),
            webhooks: WebhookMeasures::new(&make),
            snapshots: SnapshotMeasures::new(&make),
            terminals: make.int_gauge("terminals_connected", "Dispatch terminals connected."),
            event_streams: make.int_gauge("event_streams_connected", "Boards connected."),
            resident: make.int_gauge("process_resident_bytes", "Memory in RAM."),
            cpu: make.float_counter("process_cpu_seconds_total", "CPU time used."),
            registry: make.registry_with_build_info(),
        };
        let known =
            [("calls", Reason::DuplicateCall), ("passages", Reason::UnknownCamera), ("unknown", Reason::Malformed)];
        known.iter().for_each(|(stream, reason)| metrics.dead_letters_handle(stream, *reason).inc_by(0));
        metrics.events_sampled(&[("passages", 0)]);
        metrics.late.with_label_values(&["passages"]).inc_by(0);
        ["vehicles", "people"].iter().for_each(|who| metrics.long_reds.with_label_values(&[who]).inc_by(0));
        let refusals = [
            ("ingest", "wrong_key"),
            ("role", "wrong_password"),
            ("viid", "wrong_digest"),
            ("wechat", "wrong_signature"),
        ];
        refusals.iter().for_each(|(door, reason)| metrics.http_refusals.with_label_values(&[door, reason]).inc_by(0));
        metrics
    }

    /// A tick came out of the engine.
    pub fn tick_finished(&self, record: &TickRecord) {
        let latency = record.closed_at.elapsed();
        self.ticks.inc();
        self.tick_latency.observe(latency.as_secs_f64());
        let mut recent = self.recent_ticks_us.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT_TICKS {
            recent.pop_front();
        }
        recent.push_back(latency.as_micros().min(u128::from(u32::MAX)) as u32);
        drop(recent);
        for (count, (_, counter)) in record.counts.iter().zip(&self.events) {
            counter.inc_by(count.1 as u64);
        }
        self.calls_classified(record);
    }

    /// A tick's decisions went out.
    pub fn decided(&self, decisions: &Decisions) {
        self.dispatch.decided(decisions);
        self.crowds.decided(decisions);
        self.cover.decided(decisions);
        self.rosters.decided(decisions);
        self.forecasts.decided(decisions);
        self.refusals.inc_by(decisions.refusals.len() as u64);
        for plan in &decisions.plans {
            self.junction_cycle[plan.junction.index()].set(f64::from(plan.cycle_ms) / 1000.0);
        }
        self.unserved.inc_by(decisions.unserved.len() as u64);
        for red in &decisions.long_reds {
            let who = match red.waiting {
                Waiting::Head(_) => "vehicles",
                Waiting::Crossings(_) => "people",
            };
            self.long_reds.with_label_values(&[who]).inc();
        }
    }

    /// Ticks inside the engine.
    pub fn ticks_in_flight(&self, ticks: usize) {
        self.in_flight.set(ticks as i64);
    }

    /// A signal command left.
    pub fn commanded(&self, command: &SignalCommand) {
        bump(&self.commands, command.reason);
    }

    /// A signal command did not leave.
    pub fn command_held(&self) {
        self.commands_held.inc();
    }

    /// The engine let a signal command pass that its junction's envelope does not allow.
    pub fn envelope_violated(&self) {
        self.violations.inc();
    }

    /// A ledger commit took so long.
    pub fn committed(&self, took: Duration) {
        self.commit.observe(took.as_secs_f64());
    }

    /// The audit records of a ledger commit took so long.
    pub fn audited(&self, took: Duration) {
        self.audit.observe(took.as_secs_f64());
    }

    /// A ledger commit failed.
    pub fn commit_failed(&self) {
        self.commit_failures.inc();
    }

    /// City time jumped.
    pub fn clock_jumped(&self) {
        self.clock_jumps.inc();
    }

    /// City time is so far ahead of the machine's clock, ms.
    pub fn clock_ahead(&self, ahead_ms: u64) {
        self.clock_ahead.set(ahead_ms as f64 / 1000.0);
    }

    /// Whether a sync of the ledger failed, so that nothing is written to it any more.
    pub fn ledger_distrusted(&self) {
        self.ledger_distrusted.set(1);
    }

    /// Finished ticks that wait for a ledger that fails.
    pub fn ledger_waiting(&self, ticks: usize) {
        self.ledger_waiting.set(ticks as i64);
    }

    /// So many rows took the place of others in the ledger.
    pub fn ledger_conflicts(&self, rows: u64) {
        self.conflicts.inc_by(rows);
    }

    /// A call was accepted so long after its POST.
    pub fn call_accepted(&self, after: Duration) {
        self.accept.observe(after.as_secs_f64());
    }

    /// A call's first assignment was pushed so long after the call's arrival.
    pub fn assignment_pushed(&self, after: Duration) {
        self.push.observe(after.as_secs_f64());
    }

    /// A unit answered so long after its assignment, ms of city time.
    pub fn answered(&self, after_ms: u64) {
        self.ack.observe(after_ms as f64 / 1000.0);
    }

    /// A terminal connected (+1) or left (-1).
    pub fn terminals(&self, change: i64) {
        self.terminals.add(change);
    }

    /// A board connected (+1) or left (-1).
    pub fn event_streams(&self, change: i64) {
        self.event_streams.add(change);
    }

    /// Sets the gauges.
    pub fn levels(&self, levels: &Levels) {
        self.city_time.set(levels.time_ms as f64 / 1000.0);
        set(&self.open_calls, &levels.open_calls);
        set(&self.calls, &levels.calls);
        self.available_units.set(levels.available_units as i64);
        self.onsets.set(levels.onsets as i64);
        for (row, (stage, age_ms)) in levels.junctions.iter().enumerate() {
            self.junction_stage[row].set(i64::from(*stage));
            self.junction_green_age[row].set(*age_ms as f64 / 1000.0);
        }
        for (row, (speed_kmh, congested)) in levels.districts.iter().enumerate() {
            self.district_speed[row].set(*speed_kmh);
            self.district_congested[row].set(*congested as i64);
        }
        for (row, (open_calls, available_units)) in levels.district_loads.iter().enumerate() {
            self.district_calls[row].set(i64::from(*open_calls));
            self.district_units[row].set(i64::from(*available_units));
        }
        if let Some(used) = process::used() {
            self.resident.set(used.resident_bytes as i64);
            self.cpu.inc_by((used.cpu_s - self.cpu.get()).max(0.0));
        }
    }

    /// 99th percentile of the latency of recent ticks, ms.
    pub fn tick_p99_ms(&self) -> f64 {
        let recent = self.recent_ticks_us.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<u32> = recent.iter().copied().collect();
        drop(recent);
        sorted.sort_unstable();
        let row = (sorted.len() * 99).div_ceil(100).saturating_sub(1);
        sorted.get(row).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }

    /// Ticks finished since the start.
    pub fn ticks_total(&self) -> u64 {
        self.ticks.get()
    }

    /// Events taken since the start.
    pub fn events_total(&self) -> u64 {
        self.events.iter().map(|(_, c)| c.get()).sum()
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

fn streams() -> impl Iterator<Item = (&'static str, &'static str)> {
    Batch::default().counts().into_iter().map(|(stream, _)| (stream, stream))
}

fn named<'a>(names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, ())> {
    names.iter().map(|name| (*name, ()))
}

fn last<K, M>(handles: Vec<(K, M)>) -> Vec<M> {
    handles.into_iter().map(|(_, handle)| handle).collect()
}

fn bump<K: PartialEq>(handles: &[(K, IntCounter)], key: K) {
    if let Some((_, counter)) = handles.iter().find(|(k, _)| *k == key) {
        counter.inc();
    }
}

fn set<K: PartialEq>(handles: &[(K, IntGauge)], values: &[(K, usize)]) {
    for (key, gauge) in handles {
        gauge.set(values.iter().find(|(k, _)| k == key).map_or(0, |(_, n)| *n as i64));
    }
}

#[cfg(test)]
mod tests;
