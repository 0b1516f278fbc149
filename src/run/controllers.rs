//! Signal controllers and command platforms in a run: their threads, and the ways to them.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Runtime;

use super::{RunError, Shared, joined};
use crate::config::Config;
use crate::controllers::{Fleet, Lines, Rules, Table};
use crate::door::Inbox;
use crate::gat1049::{Crosses, Desk, Service};
use crate::publish::Bus;

/// What stands outside: controllers in the street, platforms of those in command.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) fleet: Option<Arc<Fleet>>,
    crosses: Option<Arc<Crosses>>,
    threads: Vec<JoinHandle<()>>,
}

impl Outside {
    /// Starts what the configuration names.
    pub(super) fn start(config: &Config, shared: &Shared, inbox: &Inbox) -> Result<Outside, RunError> {
        let mut outside = Outside::default();
        if let Some((fleet, lines)) = open(config, shared, inbox)? {
            let runtime = runtime()?;
            let thread = shared.start("controllers", move || runtime.block_on(lines.run()))?;
            outside.threads.push(thread);
            outside.fleet = Some(fleet);
        }
        if let Some(service) = outside.service(config, shared, inbox)? {
            let runtime = runtime()?;
            let serve = move || {
                if let Err(error) = runtime.block_on(service.run()) {
                    tracing::error!(%error, "command platforms are no longer served");
                }
            };
            outside.threads.push(shared.start("gat1049", serve)?);
        }
        Ok(outside)
    }

    fn service(&mut self, config: &Config, shared: &Shared, inbox: &Inbox) -> Result<Option<Service>, RunError> {
        let Some(address) = config.gat1049.listen else { return Ok(None) };
        let listener = TcpListener::bind(address).map_err(|error| RunError::Io("gat1049.listen", error))?;
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!("command platforms connect to gat1049://{address}");
        let (city, metrics) = (Arc::clone(&shared.city), Arc::clone(&shared.metrics));
        let crosses = Crosses::new(Arc::clone(&city), self.fleet.clone(), config.gat1049.agency.clone());
        let crosses = self.crosses.insert(Arc::new(crosses));
        let at = (city, shared.clock.clone());
        let desk = Desk::new(&config.gat1049, at, self.fleet.clone(), Arc::clone(crosses), metrics);
        Ok(Some(Service::new(desk, inbox.clone(), listener, &config.gat1049, shared.end.stopping.subscribe())))
    }

    /// Adds the sink.
    pub(super) fn attach(&self, bus: Bus) -> Bus {
        match &self.crosses {
            Some(crosses) => bus.with(Arc::clone(crosses)),
            None => bus,
        }
    }

    /// Waits for all, also when one has died.
    pub(super) fn ended(self) -> Result<(), RunError> {
        let ended: Vec<_> = self.threads.into_iter().map(|thread| joined("controllers", thread)).collect();
        ended.into_iter().collect()
    }
}

/// The connections of the table that the configuration names; none without one.
fn open(config: &Config, shared: &Shared, inbox: &Inbox) -> Result<Option<(Arc<Fleet>, Lines)>, RunError> {
    let Some(path) = &config.controllers.table else { return Ok(None) };
    if config.simulator.enabled {
        return Err(RunError::TwoStreets);
    }
    let (table, rules) = (Table::load(&shared.city, path).map_err(Box::new)?, Rules::of(&config.controllers));
    tracing::info!(controllers = table.0.len(), "signal controllers are spoken to");
    let stop = shared.end.stopping.subscribe();
    Ok(Some(Fleet::open(table, &rules, inbox, &shared.metrics, &stop)))
}

fn runtime() -> Result<Runtime, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| RunError::Io("tokio", error))
}
