//! How signal controllers are spoken to (docs/controllers.md).

use std::path::PathBuf;

use nanming_simulators::gbt20999::{ControlLayout, Length, Mode};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::controllers::PlanClock;

/// Signal controllers that speak as GB/T 20999-2017 has it. Times are of the wall's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControllersConfig {
    /// Table of controllers; none: no controller is spoken to.
    pub table: Option<PathBuf>,
    /// This centre's number in frames (1).
    pub centre: u8,
    /// What the length of a frame counts (`after_itself`, `inside`, `without_crc`).
    pub length: Length,
    /// Polynomial of the CRC (0x1005).
    pub crc_polynomial: u16,
    /// What the CRC begins at (0).
    pub crc_initial: u16,
    /// Where the centre's wishes stand (`table`, `objects`).
    pub layout: ControlLayout,
    /// The mode in which stages are taken (0x14, adaptive).
    pub centre_mode: u8,
    /// The mode in which a plan of the engine is run (0x13, coordinated).
    pub plan_mode: u8,
    /// The mode in which a junction is given back (0x21, fixed).
    pub local_mode: u8,
    /// What offsets of plans count from (`midnight`, `epoch`).
    pub plan_clock: PlanClock,
    /// An answer comes within so long, ms (2000).
    pub reply_ms: u64,
    /// A question or order is sent so many times at most before the controller counts as gone (3).
    pub tries: u32,
    /// A connection is tried again after so long, ms (500), then after twice as long each time,
    pub retry_ms: u64,
    /// and at most after so long, ms (30000).
    pub retry_max_ms: u64,
    /// Between two questions for the state, ms (1000).
    pub poll_ms: u64,
    /// Between two heartbeats, ms (5000).
    pub heartbeat_ms: u64,
    /// A controller that has said nothing for so long is gone, ms (15000).
    pub silent_ms: u64,
    /// Lamps may differ from the stage that is told for so long, ms (15000): more than the longest yellow and all-red.
    pub settle_ms: u64,
    /// A stage that was accepted must be told within so long, ms (90000): more than the longest shortest green.
    pub obey_ms: u64,
    /// A controller that was caught is left to its own plan for so long, s (600).
    pub distrust_s: u64,
    /// When the engine has ordered nothing at a junction for so long, it is given back, s (150).
    pub engine_silent_s: u64,
    /// Whether a controller that shows a conflict in its own plan too is made to flash yellow (true); false: it is told to run
    /// its own plan, and no more.
    pub flash: bool,
    /// Whether the city's local plans are written into controllers when they are reached (false).
    pub download_plans: bool,
}

impl Default for ControllersConfig {
    fn default() -> Self {
        ControllersConfig {
            table: None,
            centre: 1,
            length: Length::default(),
            crc_polynomial: 0x1005,
            crc_initial: 0,
            layout: ControlLayout::default(),
            centre_mode: 0x14,
            plan_mode: 0x13,
            local_mode: 0x21,
            plan_clock: PlanClock::default(),
            reply_ms: 2_000,
            tries: 3,
            retry_ms: 500,
            retry_max_ms: 30_000,
            poll_ms: 1_000,
            heartbeat_ms: 5_000,
            silent_ms: 15_000,
            settle_ms: 15_000,
            obey_ms: 90_000,
            distrust_s: 600,
            engine_silent_s: 150,
            flash: true,
            download_plans: false,
        }
    }
}

impl ControllersConfig {
    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: &str| {
            if holds { Ok(()) } else { Err(ConfigError::Value(format!("controllers.{complaint}"))) }
        };
        let times_ms = [
            ("reply_ms", self.reply_ms),
            ("retry_ms", self.retry_ms),
            ("poll_ms", self.poll_ms),
            ("heartbeat_ms", self.heartbeat_ms),
            ("silent_ms", self.silent_ms),
            ("settle_ms", self.settle_ms),
            ("obey_ms", self.obey_ms),
        ];
        for (name, ms) in times_ms {
            need((10..=600_000).contains(&ms), &format!("{name} must be from 10 to 600000"))?;
        }
        need(
            (self.retry_ms..=3_600_000).contains(&self.retry_max_ms),
            "retry_max_ms must be from retry_ms to 3600000",
        )?;
        need((1..=100).contains(&self.tries), "tries must be from 1 to 100")?;
        need(self.silent_ms > self.heartbeat_ms, "silent_ms must be above heartbeat_ms, or nobody has time to answer")?;
        need((1..=86_400).contains(&self.distrust_s), "distrust_s must be from 1 to 86400")?;
        // Even a stage that stands is ordered again each minute of city time.
        need((1..=3_600).contains(&self.engine_silent_s), "engine_silent_s must be from 1 to 3600")?;
        need(self.centre_mode >> 4 == 1, "centre_mode must be from 0x10 to 0x1f")?;
        let is_plan_mode = Mode(self.plan_mode).is_centre() && self.plan_mode != self.centre_mode;
        need(is_plan_mode, "plan_mode must be from 0x10 to 0x1f, and another than centre_mode")?;
        need(self.local_mode >> 4 == 2, "local_mode must be from 0x20 to 0x2f")
    }
}
