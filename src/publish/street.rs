//! Signal commands on their way to the street.
//!
//! They leave as soon as the door has their tick, ahead of the ledger: a yellow that waited for a disk and an all-red that
//! did not would be a short yellow. For the same reason none leaves late: one that is older than [`STALE`] when its turn
//! comes, as after the machine slept, is held. What follows from it is held too until a command fits what the controller was
//! told last, at the latest a cycle later; a controller that hears nothing for minutes runs its own plan.
//!
//! This is also the watch over the promise that matters most: a second envelope per junction, apart from the one inside the
//! engine, sees every command before it leaves. One that it refuses though nothing was held back is the engine's fault: it
//! is counted as a violation, and held.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use nanming_dataflows::decide::envelope::Witness;
use nanming_dataflows::decision::{Decisions, SignalCommand};
use nanming_dataflows::network::City;

use crate::clock::Clock;
use crate::controllers::Fleet;
use crate::kafka::SignalsOut;
use crate::metrics::Metrics;

/// Older than this by the wall clock a command does not leave: a yellow lasts three seconds.
pub const STALE: Duration = Duration::from_secs(2);

/// The way out.
pub struct Street {
    city: Arc<City>,
    metrics: Arc<Metrics>,
    clock: Clock,
    witness: Witness,
    /// By junction: whether it missed a command and none has fitted since.
    missed: Vec<bool>,
    controllers: Option<Sender<SignalCommand>>,
    kafka: Option<SignalsOut>,
    fleet: Option<Arc<Fleet>>,
}

impl Street {
    /// To the controllers of a city, if there are any to be told. The queue to them has no bound of its own: it holds what
    /// the engine decided since they last looked.
    pub fn new(
        city: Arc<City>,
        metrics: Arc<Metrics>,
        clock: Clock,
        controllers: Option<Sender<SignalCommand>>,
    ) -> Street {
        let (witness, missed) = (Witness::new(&city), vec![false; city.junctions.len()]);
        Street { city, metrics, clock, witness, missed, controllers, kafka: None, fleet: None }
    }

    /// Tells Kafka too.
    pub fn also_to(self, kafka: Option<SignalsOut>) -> Street {
        Street { kafka, ..self }
    }

    /// Tells the controllers in the street too.
    pub fn also_to_fleet(self, fleet: Option<Arc<Fleet>>) -> Street {
        Street { fleet, ..self }
    }

    /// Tells the controllers what a tick decided. Plans and what goes before them are for those in the street that take plans.
    pub fn tell_all(&mut self, decisions: &Decisions) {
        self.tell(&decisions.commands);
        if let Some(fleet) = &self.fleet {
            decisions.plans.iter().for_each(|plan| fleet.plan(plan));
            decisions.choices.iter().for_each(|choice| fleet.choose(choice));
        }
    }

    /// Tells the controllers the commands of a tick.
    pub fn tell(&mut self, commands: &[SignalCommand]) {
        for command in commands {
            if self.may_leave(command) {
                self.metrics.commanded(command);
                self.kafka.iter().for_each(|kafka| kafka.take(command));
                self.fleet.iter().for_each(|fleet| fleet.order(command));
                if let Some(controllers) = &self.controllers {
                    let _nobody_listens_at_the_end = controllers.send(command.clone());
                }
            } else {
                self.metrics.command_held();
            }
        }
    }

    fn may_leave(&mut self, command: &SignalCommand) -> bool {
        let row = command.junction.index();
        let age_ms = self.clock.now_ms().saturating_sub(command.at_ms);
        if self.clock.wall(age_ms) > STALE {
            let junction = &self.city.junctions[row].name;
            tracing::warn!(%junction, age_ms, "a signal command came too late to leave");
            self.missed[row] = true;
            return false;
        }
        let seen = self.witness.see(&self.city, command);
        if let (Err((rule, head)), false) = (seen, self.missed[row]) {
            let junction = &self.city.junctions[row].name;
            self.metrics.envelope_violated();
            tracing::error!(%junction, ?rule, head, "a signal command outside its envelope was held back");
        }
        self.missed[row] = seen.is_err();
        seen.is_ok()
    }
}

#[cfg(test)]
mod tests;
