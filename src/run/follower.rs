//! A process that follows in a cluster: it takes sensor events and carries its share of the states. It has no ledger, no
//! simulator and no page; city time is that of the leader's ticks.

use std::net::TcpListener;
use std::sync::Arc;

use nanming_dataflows::network::City;

use super::{RunError, joined, share, surface, validator};
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::door;
use crate::engine::Engine;
use crate::http::{FollowerApp, serve_follower};

/// Follows until the leader ends or this process is interrupted.
pub(super) fn follow(
    config: &Config,
    cluster: &Cluster,
    city: Arc<City>,
    listener: TcpListener,
) -> Result<(), RunError> {
    let clock = Clock::told();
    let shared = share(config, city, clock)?;
    let engine = Engine::start_in(Some(cluster), &shared.city, config.engine.workers, &[])?;
    let (inbox, arrivals) = door::open(shared.clock.clone(), config.engine.inbox);
    let driving = shared.start("door", {
        let (clock, health, metrics) = (shared.clock.clone(), Arc::clone(&shared.health), Arc::clone(&shared.metrics));
        move || {
            let finished = |record: &door::TickRecord| {
                metrics.tick_finished(record);
                health.tick(record.tick);
            };
            door::follow(engine, &arrivals, &metrics, |tick| clock.tell(tick), finished)
        }
    })?;
    let app = FollowerApp {
        inbox,
        validator: validator(config, &shared.city),
        letters: Arc::clone(&shared.letters),
        metrics: Arc::clone(&shared.metrics),
        health: Arc::clone(&shared.health),
        config: config.http.clone(),
        stop: shared.end.stopping.subscribe(),
    };
    announce(cluster, &listener, config);
    let led = surface::serve_until_the_end(listener, |listener| serve_follower(listener, app), &shared);
    led.map_err(|e| RunError::Io("http", e))?;
    if driving.is_finished() {
        joined("door", driving)??;
        println!("the leader has ended");
        return Ok(());
    }
    // The leader would wait for this one's share of each tick: it is told by the connection, which ends with the process.
    println!("this process leaves the cluster, which ends with it");
    Ok(())
}

fn announce(cluster: &Cluster, listener: &TcpListener, config: &Config) {
    let address = listener.local_addr().unwrap_or(config.http.listen);
    tracing::info!(process = cluster.process(), "it follows, and takes sensor events; Ctrl-C ends it");
    tracing::info!("they are taken at http://{address}");
}
