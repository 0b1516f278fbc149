//! What the doors for sensors work with: those that a process has whether it leads or follows.

use std::sync::Arc;

use nanming_dataflows::network::City;

use super::Viid;
use super::intake::Intake;
use crate::config::HttpConfig;
use crate::door::Inbox;
use crate::ingest::{DeadLetters, Validator};
use crate::metrics::Metrics;

/// The door, and what stands before it.
pub struct Sensors {
    /// The city.
    pub city: Arc<City>,
    /// Settings.
    pub config: HttpConfig,
    /// The door.
    pub inbox: Inbox,
    /// Checks what comes in.
    pub validator: Arc<Validator>,
    /// Where refused input goes.
    pub letters: Arc<DeadLetters>,
    /// Measures.
    pub metrics: Arc<Metrics>,
    /// Cameras by GA/T 1400, where that is on.
    pub viid: Option<Viid>,
    /// Bodies on their way in.
    pub(super) intake: Intake,
}

impl Sensors {
    /// As it is configured.
    pub fn new(
        config: &HttpConfig,
        city: &Arc<City>,
        inbox: Inbox,
        validator: &Arc<Validator>,
        (letters, metrics): (&Arc<DeadLetters>, &Arc<Metrics>),
        viid: Option<Viid>,
    ) -> Sensors {
        Sensors {
            city: Arc::clone(city),
            config: config.clone(),
            inbox,
            validator: Arc::clone(validator),
            letters: Arc::clone(letters),
            metrics: Arc::clone(metrics),
            viid,
            intake: Intake::new(config),
        }
    }

    /// The measures as they are.
    pub(super) fn measured(&self) -> String {
        if let Some(viid) = &self.viid {
            self.metrics.cameras_online(viid.online());
        }
        self.metrics.render()
    }
}
