//! What can be set about a world.

/// Who switches the signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// The engine's commands; a junction without any for a while runs its own plan.
    #[default]
    Engine,
    /// The junctions' own fixed-time plans, whatever the engine says: the baseline.
    FixedPlans,
}

/// Settings of a [`World`](super::World). Same city, settings and decisions, same events.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldSettings {
    /// Seed of all chance.
    pub seed: u64,
    /// Where simulated time starts, ms since the Unix epoch, rounded down to a step.
    pub start_ms: u64,
    /// Vehicles, relative to a busy working day.
    pub demand_scale: f64,
    /// Calls for service, relative to about four a day for each signalised junction.
    pub calls_scale: f64,
    /// Who switches the signals.
    pub control: Control,
    /// Whether there are collisions that block lanes.
    pub incidents: bool,
    /// Share of passages that a camera misses, 0..1.
    pub miss_share: f64,
    /// The first ID for a simulated call: far from those that people raise.
    pub first_call_id: u64,
}

impl Default for WorldSettings {
    fn default() -> Self {
        WorldSettings {
            seed: 1,
            start_ms: 1_767_657_600_000, // Tuesday 2026-01-06, 08:00 in Guiyang
            demand_scale: 1.0,
            calls_scale: 1.0,
            control: Control::Engine,
            incidents: true,
            miss_share: 0.03,
            first_call_id: 1 << 40,
        }
    }
}
