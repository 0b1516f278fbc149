//! The asynchronous part of a run: HTTP, the board's beat, and the signals that end it all.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{End, Shared};
use crate::cli::INTERRUPTED;
use crate::http::{self, App, Viid};
use crate::publish::Board;

/// Threads of tokio.
const THREADS: usize = 2;
/// Connections get so long to end in good order.
const GOODBYES: Duration = Duration::from_secs(5);

/// Serves the whole surface until Ctrl-C, SIGTERM, SIGHUP, or the engine's end.
pub(super) fn serve(listener: TcpListener, (app, viid): (App, Option<Viid>), shared: &Shared) -> io::Result<()> {
    let serve = |listener| {
        tokio::spawn(beat(Arc::clone(&app.board)));
        if let Some(travel) = &app.travel {
            tokio::spawn(Arc::clone(travel).keep_looking(Arc::clone(&app.board)));
        }
        http::serve(listener, app, viid)
    };
    serve_until_the_end(listener, serve, shared)
}

/// Serves something until Ctrl-C, SIGTERM, SIGHUP, or the engine's end.
pub(super) fn serve_until_the_end<F>(
    listener: TcpListener,
    serve: impl FnOnce(tokio::net::TcpListener) -> F,
    shared: &Shared,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    let served = runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(until_interrupted(shared.end.clone()));
        let mut server = tokio::spawn(serve(listener));
        let mut stop = shared.end.stopping.subscribe();
        // What it sees is let go at once: while somebody looks at it nobody else who ends can tell so.
        let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
        let ended = tokio::select! {
            ended = &mut server => ended,
            () = stopped => match timeout(GOODBYES, &mut server).await {
                Ok(ended) => ended,
                Err(_) => {
                    server.abort();
                    return Ok(());
                }
            },
        };
        ended.unwrap_or_else(|error| Err(io::Error::other(error)))
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn beat(board: Arc<Board>) {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        board.beat();
    }
}

/// The first signal ends the run in good order, a second one at once.
async fn until_interrupted(end: End) -> io::Result<()> {
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    for _ in 0..2 {
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = terminate.recv() => {},
            _ = hang_up.recv() => {},
        }
        if *end.stopping.borrow() {
            tracing::warn!("interrupted again: ending at once");
            std::process::exit(i32::from(INTERRUPTED));
        }
        tracing::info!("ending: sources stop, ticks are finished and committed");
        end.come();
    }
    Ok(())
}
