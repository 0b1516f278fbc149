//! A process that follows in a cluster: it takes sensor events, reads its share of the sensors' partitions, and carries its
//! share of the states. It has no ledger, no simulator and no page; city time is that of the leader's ticks, and with the
//! first of them the leader tells where partitions begin.

use std::net::TcpListener;
use std::sync::Arc;

use crossbeam_channel::bounded;
use nanming_dataflows::input::Announced;
use nanming_dataflows::network::City;
use tokio_rustls::TlsAcceptor;

use super::kafka::{Following, Sources};
use super::{Known, RunError, exposure, joined, share, surface, validator};
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::door;
use crate::engine::Engine;
use crate::http::{Access, FollowerApp, Sensors, Viid, serve_follower};

/// Follows until the leader ends or this process is interrupted.
pub(super) fn follow(
    config: &Config,
    cluster: &Cluster,
    city: Arc<City>,
    (listener, tls): (TcpListener, Option<TlsAcceptor>),
) -> Result<(), RunError> {
    let clock = Clock::told();
    let shared = share(config, city, clock)?;
    let viid = Viid::new(&config.viid, &shared.city)?;
    let Known { mut start, mut snapshots, keeping } =
        super::snapshots(config, Some(cluster), &shared.city)?.go_on(u64::MAX, &shared.metrics)?;
    let engine =
        Engine::start_in(Some(cluster), &shared.city, config.engine.workers, std::mem::take(&mut start.states))?;
    let (inbox, arrivals) = door::open(shared.clock.clone(), config.engine.inbox);
    let (validator, (tell, begins)) = (Arc::new(validator(config, &shared)?), bounded(1));
    let sources = Sources { config, shared: &shared, inbox: &inbox, validator: &validator, cluster: Some(cluster) };
    let kafka = Following::start(&sources, begins)?;
    let progress = kafka.as_ref().map(|kafka| Arc::clone(&kafka.progress));
    let driving = shared.start("door", {
        let (clock, health, metrics) = (shared.clock.clone(), Arc::clone(&shared.health), Arc::clone(&shared.metrics));
        move || {
            let finished = |record: &door::TickRecord| {
                metrics.tick_finished(record);
                health.tick(record.tick);
                progress.iter().for_each(|progress| progress.keep(record));
            };
            let mut tell = Some(tell);
            let closes = |announced: &Announced| {
                clock.tell(announced.tick);
                if let Some(tell) = tell.take() {
                    // Without Kafka nobody hears it.
                    let _ = tell.send(announced.bookmarks.iter().cloned().collect());
                }
            };
            door::follow(engine, &arrivals, &metrics, &mut snapshots, closes, finished)
        }
    })?;
    let told = (&shared.letters, &shared.metrics);
    let sensors = Sensors::new(&config.http, &shared.city, inbox, &validator, told, viid);
    let (access, health) = (Access::new(config, &shared.metrics), Arc::clone(&shared.health));
    let app = FollowerApp { sensors, access, tls, health, stop: shared.end.stopping.subscribe() };
    announce(cluster, &listener, config);
    let led = surface::serve_until_the_end(listener, |listener| serve_follower(listener, app), &shared);
    led.map_err(|e| RunError::Io("http", e))?;
    if driving.is_finished() {
        shared.end.come();
        let kafka_ended = kafka.map_or(Ok(()), Following::ended);
        joined("door", driving)??;
        joined("snapshots", keeping)?;
        kafka_ended?;
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
    tracing::info!("they are taken at {}://{address}", exposure::scheme(config));
}
