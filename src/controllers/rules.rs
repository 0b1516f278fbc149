//! How a controller is spoken to.

use nanming_simulators::gbt20999::{ControlLayout, Mode, Wire};
use serde::{Deserialize, Serialize};

use crate::config::ControllersConfig;

/// What the offset of a plan in a controller counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanClock {
    /// The last local midnight.
    #[default]
    Midnight,
    /// 1970-01-01 00:00 UTC.
    Epoch,
}

/// Times and numbers that hold for all controllers; times are of the wall's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// How frames are written.
    pub wire: Wire,
    /// Where wishes stand.
    pub layout: ControlLayout,
    /// This centre's number.
    pub centre: u8,
    /// The mode in which stages are taken.
    pub centre_mode: Mode,
    /// The mode in which a plan of the engine is run.
    pub plan_mode: Mode,
    /// The mode in which a junction is given back.
    pub local_mode: Mode,
    /// What offsets of plans count from.
    pub plan_clock: PlanClock,
    /// An answer comes within so long, ms.
    pub reply_ms: u64,
    /// A question or order is sent so many times at most.
    pub tries: u32,
    /// Before a connection is tried again, ms: at first, and at most.
    pub retry_ms: (u64, u64),
    /// Between two questions for the state, ms.
    pub poll_ms: u64,
    /// Between two heartbeats, ms.
    pub heartbeat_ms: u64,
    /// Who has said nothing for so long is gone, ms.
    pub silent_ms: u64,
    /// Lamps may differ from the stage told for so long, ms.
    pub settle_ms: u64,
    /// A stage that was accepted must be told within so long, ms.
    pub obey_ms: u64,
    /// One that was caught is left alone for so long, ms.
    pub distrust_ms: u64,
    /// When the engine has ordered nothing for so long, the junction is given back, ms.
    pub engine_silent_ms: u64,
    /// Whether a controller that shows a conflict in its own plan too is made to flash.
    pub flash: bool,
    /// Whether the city's local plans are written into it.
    pub download_plans: bool,
}

/// What was refused, or accepted and not done yet, is not ordered again for so long, ms, unless the engine orders anew.
pub(super) const AGAIN_MS: u64 = 5_000;
/// The engine has so long to hear what a new controller shows and to order a stage, ms: it waits for the end of a change.
pub(super) const PATIENT_MS: u64 = 15_000;
/// A stage that was accepted is ordered again when the engine orders it again, but not more often than this, ms.
pub(super) const RENEW_MS: u64 = 20_000;
/// The engine is told what a controller shows at least so often, ms.
pub(super) const FEEDBACK_MS: u64 = 30_000;

impl Rules {
    /// As configured.
    pub fn of(config: &ControllersConfig) -> Rules {
        let ControllersConfig { length, crc_polynomial, crc_initial, layout, centre, .. } = *config;
        Rules {
            wire: Wire { length, crc_polynomial, crc_initial },
            layout,
            centre,
            centre_mode: Mode(config.centre_mode),
            plan_mode: Mode(config.plan_mode),
            local_mode: Mode(config.local_mode),
            plan_clock: config.plan_clock,
            reply_ms: config.reply_ms,
            tries: config.tries,
            retry_ms: (config.retry_ms, config.retry_max_ms),
            poll_ms: config.poll_ms,
            heartbeat_ms: config.heartbeat_ms,
            silent_ms: config.silent_ms,
            settle_ms: config.settle_ms,
            obey_ms: config.obey_ms,
            distrust_ms: config.distrust_s * 1000,
            engine_silent_ms: config.engine_silent_s * 1000,
            flash: config.flash,
            download_plans: config.download_plans,
        }
    }
}
