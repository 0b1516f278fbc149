//! Webhooks in a run: a thread for each receiver.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::{RunError, Shared, joined};
use crate::config::Config;
use crate::door::Inbox;
use crate::ledger::Book;
use crate::offsets::Offsets;
use crate::publish::Bus;
use crate::webhooks::Outlet;

/// Starts what the configuration asks for. Returns the sinks, and the threads to be waited for.
pub(super) fn attach(
    config: &Config,
    shared: &Shared,
    inbox: &Inbox,
    known: &Offsets,
    mut bus: Bus,
) -> Result<(Bus, Vec<JoinHandle<()>>), RunError> {
    let mut threads = Vec::new();
    for webhook in &config.webhooks {
        let from = (Arc::clone(&shared.city), Book::open(&config.ledger.path)?, inbox.clone());
        let (outlet, wake) = Outlet::open(webhook, from, Arc::clone(&shared.metrics), known)?;
        let stop = Arc::clone(&shared.end.flag);
        threads.push(shared.start("webhook", move || outlet.run(&stop))?);
        bus = bus.with(wake);
    }
    Ok((bus, threads))
}

/// Waits for all, also when one has died.
pub(super) fn ended(threads: Vec<JoinHandle<()>>) -> Result<(), RunError> {
    let ended: Vec<_> = threads.into_iter().map(|thread| joined("webhook", thread)).collect();
    ended.into_iter().collect()
}
