//! The connection to a controller: opened, kept, and opened again with growing pauses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nanming_dataflows::decision::SignalPlan;
use nanming_simulators::gbt20999::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::fleet::Orders;
use super::session::{Line, Session};
use super::tell::Tell;
use super::{Rules, Site};

/// At the end a controller gets so long to take its junction back.
const GOODBYE: Duration = Duration::from_secs(1);

/// One connection's task.
pub(super) struct LineTask {
    address: String,
    rules: Rules,
    session: Session,
    orders: watch::Receiver<Orders>,
    /// Orders of the engine that the session knows, and the stage.
    known: (u64, Option<u16>),
    /// The plan that the session knows.
    plan: Option<Arc<SignalPlan>>,
    tell: Tell,
    stop: watch::Receiver<bool>,
    began: Instant,
}

impl LineTask {
    pub(super) fn new(
        site: Site,
        rules: Rules,
        orders: watch::Receiver<Orders>,
        tell: Tell,
        stop: watch::Receiver<bool>,
    ) -> LineTask {
        let (address, session) = (site.address.clone(), Session::new(site, rules.clone()));
        LineTask { address, rules, session, orders, known: (0, None), plan: None, tell, stop, began: Instant::now() }
    }

    /// Runs until the end.
    pub(super) async fn run(mut self) {
        let (least_ms, most_ms) = self.rules.retry_ms;
        let (mut pause_ms, mut complained) = (least_ms, false);
        let mut stop = self.stop.clone();
        while !*self.stop.borrow() {
            let patience = Duration::from_millis(self.rules.reply_ms);
            let connected = tokio::select! {
                connected = timeout(patience, TcpStream::connect(&self.address)) => connected,
                () = stopped(&mut stop) => return,
            };
            let why = match connected {
                Ok(Ok(socket)) => {
                    let (why, was_reached) = self.talk(socket).await;
                    if was_reached {
                        (pause_ms, complained) = (least_ms, true);
                    }
                    why
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "nobody answers".into(),
            };
            if !std::mem::replace(&mut complained, true) {
                self.tell.cannot_connect(&self.address, &why);
            }
            let now_ms = self.now_ms();
            self.session.gone(&why, now_ms);
            self.tell_all().await;
            tokio::select! {
                () = sleep(Duration::from_millis(pause_ms)) => {}
                () = stopped(&mut stop) => {}
            }
            pause_ms = (pause_ms * 2).min(most_ms);
        }
    }

    /// Speaks on a connection until it ends; why, and whether the controller ever told its state.
    async fn talk(&mut self, mut socket: TcpStream) -> (String, bool) {
        // Small frames that are waited for.
        let _ = socket.set_nodelay(true);
        let (mut stream, mut bytes) = (Stream::new(self.rules.wire), [0; 4096]);
        let mut stop = self.stop.clone();
        let mut last_call: Option<Instant> = None;
        let now_ms = self.now_ms();
        self.session.connected(now_ms);
        loop {
            let is_ending = *stop.borrow();
            self.take_orders(is_ending);
            let now_ms = self.now_ms();
            let line = self.session.turn(now_ms);
            let sent = self.send(&mut socket).await;
            self.tell_all().await;
            let was_reached = self.session.state().mode.is_some();
            let Line::Until(due_ms) = line else { return ("it does not answer".into(), was_reached) };
            if let Err(why) = sent {
                return (why, was_reached);
            }
            if is_ending {
                let since = last_call.get_or_insert_with(Instant::now);
                if self.session.is_given_back() || since.elapsed() >= GOODBYE {
                    return ("the engine ends".into(), was_reached);
                }
            }
            let due = Duration::from_millis(due_ms.saturating_sub(now_ms).max(1));
            tokio::select! {
                read = socket.read(&mut bytes) => match read {
                    Ok(0) => return ("it has hung up".into(), was_reached),
                    Ok(n) => {
                        let now_ms = self.now_ms();
                        stream.take(&bytes[..n]).into_iter().for_each(|heard| self.session.hear(heard, now_ms));
                    }
                    Err(error) => return (error.to_string(), was_reached),
                },
                // At the end of the engine orders end before the stop is told: then only the clock moves it.
                changed = self.orders.changed() => if changed.is_err() {
                    sleep(due.min(Duration::from_millis(20))).await;
                },
                () = stopped(&mut stop), if !is_ending => {}
                () = sleep(due) => {}
            }
        }
    }

    /// Tells the session what is wanted now, if that is news. At the end nothing is: the junction is given back.
    fn take_orders(&mut self, is_ending: bool) {
        let orders = self.orders.borrow_and_update().clone();
        let now = if is_ending { (self.known.0, None) } else { (orders.count, orders.stage()) };
        let plan = orders.plan().filter(|_| !is_ending);
        // Who was never ordered anything is given back too: an engine before this one may have.
        let is_ordered = is_ending || now != self.known;
        if is_ordered || plan != self.plan.as_ref() {
            (self.known, self.plan) = (now, plan.cloned());
            let now_ms = self.now_ms();
            self.session.follow(plan.map(Arc::as_ref), orders.at_ms);
            // A plan alone leads nobody who has left: plans are made for them too.
            if is_ordered {
                self.session.wish(now.1, now_ms);
            }
        }
    }

    async fn send(&mut self, socket: &mut TcpStream) -> Result<(), String> {
        let frames = self.session.frames();
        // What cannot be written is never made: frames hold a plan at most.
        let bytes: Vec<u8> = frames.iter().filter_map(|frame| self.rules.wire.encode(frame).ok()).flatten().collect();
        if bytes.is_empty() {
            return Ok(());
        }
        match timeout(Duration::from_millis(self.rules.reply_ms), socket.write_all(&bytes)).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err("it does not read".into()),
        }
    }

    async fn tell_all(&mut self) {
        let said = self.session.said();
        self.tell.tell(said, self.session.state()).await;
    }

    /// ms since it began, never 0.
    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64 + 1
    }
}

/// Waits until the end is told.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Nobody is left who could tell it: that is the end too.
    let _ = stop.wait_for(|stop| *stop).await;
}
