//! Connections: taken, bounded, ended. A head that does not come ends its connection, and when all places are taken the
//! connection that has done nothing for longest goes, so that an alarm always finds one.
//!
//! A connection at work is never ended for another. Event streams and sockets, which stay at work, have places of their own
//! and cannot take all.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::config::HttpConfig;

/// Files that the engine opens besides connections: its ledger, files that go out, its threads' own.
const FILES: u64 = 48;
/// Connections at most, however many files the system allows.
const MOST: usize = 16_384;
/// What hyper reads of a connection ahead of its handler, bytes; a head must fit in.
const AHEAD: usize = 64 << 10;
/// After the system took no connection, as when no file is left, the next try comes so much later.
const BREATH: Duration = Duration::from_millis(100);
/// Such failures are logged at most so often.
const COMPLAINTS: Duration = Duration::from_secs(10);

/// From which address a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(pub(super) IpAddr);

/// How long is waited for what has to come at the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    handshake: Duration,
    head: Duration,
}

impl Patience {
    pub(super) fn of(config: &HttpConfig) -> Patience {
        Patience { handshake: Duration::from_secs(config.handshake_s), head: Duration::from_secs(config.head_s) }
    }
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// For requests and event streams.
    pub(super) connections: usize,
    /// For event streams, terminals and desks together: at most a third of what there is. An event stream is a connection
    /// too, and has to leave others free.
    pub(super) streams: usize,
}

impl Places {
    /// What the system's limit of open files allows, after it was raised as far as it goes; at most `streams` streams.
    pub(super) fn within_limit(streams: usize) -> Places {
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            1024
        });
        Places::among(files, streams)
    }

    fn among(files: u64, streams: usize) -> Places {
        let left = usize::try_from(files.saturating_sub(FILES.max(files / 16))).unwrap_or(usize::MAX).max(16);
        let streams = streams.min(left / 3);
        Places { connections: (left - streams).min(MOST.max(2 * streams)), streams }
    }
}

/// What a connection is doing.
#[derive(Default)]
struct Work {
    /// Requests that are not answered to the end.
    requests: AtomicUsize,
    /// When it was last at work, ms since the server began.
    last_ms: AtomicU64,
}

/// The server's side of all connections.
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, (AbortHandle, Arc<Work>)>,
    began: Instant,
    complained: Option<Instant>,
    tls: Option<TlsAcceptor>,
    patience: Patience,
}

/// Takes connections until `stop`; returns when all have ended in good order.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    (most, patience): (usize, Patience),
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let (tasks, open, began, complained) = (JoinSet::new(), HashMap::new(), Instant::now(), None);
    let mut connections = Connections { tasks, open, began, complained, tls, patience };
    let (mut ended, mut came) = (stop.clone(), None);
    loop {
        let is_full = connections.open.len() >= most;
        if is_full && came.is_some() {
            connections.end_the_idlest();
        } else if let Some((stream, peer)) = came.take() {
            connections.start(stream, peer, router.clone(), stop.clone());
        }
        tokio::select! {
            taken = listener.accept(), if came.is_none() => match taken {
                Ok((stream, peer)) => came = Some((stream, Peer(peer.ip()))),
                Err(error) => connections.complain(&error).await,
            },
            Some(gone) = connections.tasks.join_next_with_id() => connections.gone(gone),
            // One that was at work may have fallen idle.
            () = tokio::time::sleep(BREATH), if came.is_some() => {}
            () = stopped(&mut ended) => break,
        }
    }
    drop(listener);
    while connections.tasks.join_next().await.is_some() {}
    Ok(())
}

impl Connections {
    fn start(&mut self, stream: TcpStream, peer: Peer, router: Router, stop: watch::Receiver<bool>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
        let (work, began) = (Arc::new(Work::default()), self.began);
        work.last_ms.store(began.elapsed().as_millis() as u64, Ordering::Relaxed);
        let served = Served { peer, router, work: Arc::clone(&work), began, head: self.patience.head };
        let task = self.tasks.spawn(taken(stream, self.tls.clone(), self.patience.handshake, served, stop));
        self.open.insert(task.id(), (task, work));
    }

    fn gone(&mut self, gone: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match &gone {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.open.remove(&id);
        // One that was ended for another is no panic.
        if gone.is_err_and(|error| error.is_panic()) {
            tracing::error!("a connection panicked; the log above says where");
        }
    }

    /// Ends the connection that has done nothing for longest, if any does nothing.
    fn end_the_idlest(&mut self) {
        let idle = self.open.values().filter(|(_, work)| work.requests.load(Ordering::Relaxed) == 0);
        if let Some((task, _)) = idle.min_by_key(|(_, work)| work.last_ms.load(Ordering::Relaxed)) {
            task.abort();
        }
    }

    async fn complain(&mut self, error: &io::Error) {
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAINTS) {
            self.complained = Some(Instant::now());
            tracing::error!(%error, open = self.open.len(), "no connection could be taken; trying again");
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could stop it is gone: the end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A connection's own.
struct Served {
    peer: Peer,
    router: Router,
    work: Arc<Work>,
    began: Instant,
    head: Duration,
}

/// Serves a connection, with TLS where there is a certificate. Its handshake is nobody else's: it holds up no other
/// connection, and as long as it goes on the connection is idle, and makes way.
async fn taken(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    handshake: Duration,
    served: Served,
    mut stop: watch::Receiver<bool>,
) {
    let Some(tls) = tls else { return connection(stream, served, stop).await };
    let shaken = tokio::select! {
        shaken = timeout(handshake, tls.accept(stream)) => shaken,
        () = stopped(&mut stop) => return,
    };
    match shaken {
        Ok(Ok(stream)) => connection(stream, served, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn connection<S>(stream: S, served: Served, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Served { peer, router, work, began, head } = served;
    let routed = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let at_work = AtWork::begin(&work, began);
        let answer = hyper::service::Service::call(&routed, request);
        async move { answer.await.map(|response| at_work.until_sent(response)) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(AHEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "connection");
    }
}

/// A request from its head to the last byte of its answer.
struct AtWork {
    work: Arc<Work>,
    began: Instant,
}

impl AtWork {
    fn begin(work: &Arc<Work>, began: Instant) -> AtWork {
        work.requests.fetch_add(1, Ordering::Relaxed);
        AtWork { work: Arc::clone(work), began }
    }

    fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _still_at_work = &self;
                frame
            }))
        })
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.work.last_ms.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.work.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_calls_have_places_left_whatever_the_limit() {
        assert_eq!(Places::among(128, 4096), Places { connections: 54, streams: 26 });
        assert_eq!(Places::among(1024, 8), Places { connections: 952, streams: 8 });
        assert_eq!(Places::among(u64::MAX, 4096), Places { connections: MOST, streams: 4096 });
        assert_eq!(Places::among(10, 4096), Places { connections: 11, streams: 5 });
    }
}
