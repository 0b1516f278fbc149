//! What a session says goes to the engine, the metrics and the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nanming_dataflows::event::{Event, SignalFeedback};
use nanming_dataflows::ids::JunctionId;
use tokio::sync::watch;

use super::session::Said;
use super::{Alarm, Site, State};
use crate::door::{Arrival, Inbox};
use crate::metrics::Metrics;

pub(super) struct Tell {
    junction: JunctionId,
    name: String,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    state: watch::Sender<State>,
    /// Whether somebody was told that what comes is no frame, since it was reached last.
    frames_told: AtomicBool,
}

impl Tell {
    pub(super) fn new(site: &Site, inbox: Inbox, metrics: Arc<Metrics>, state: watch::Sender<State>) -> Tell {
        metrics.controllers.added();
        Tell {
            junction: site.junction,
            name: site.of().name.clone(),
            inbox,
            metrics,
            state,
            frames_told: AtomicBool::new(false),
        }
    }

    /// Tells all that was said, and what is known now.
    pub(super) async fn tell(&self, said: Vec<Said>, now: &State) {
        self.state.send_if_modified(|known| {
            let is_news = known != now;
            if known.reach != now.reach {
                self.metrics.controllers.moved(known.reach, now.reach);
            }
            if is_news {
                known.clone_from(now);
            }
            is_news
        });
        for said in said {
            match said {
                Said::Feedback(mode, lamps) => {
                    let (time_ms, junction) = (self.inbox.now_ms(), self.junction);
                    let events = vec![Event::Signal(SignalFeedback { time_ms, junction, mode, lamps })];
                    // At the end nobody needs it any more.
                    let _ = self.inbox.send_async(Arrival { events, ..Arrival::default() }).await;
                }
                Said::Order(outcome) => self.metrics.controllers.ordered(outcome),
                Said::Answered(after_ms) => self.metrics.controllers.answered(Duration::from_millis(after_ms)),
                Said::Reached => {
                    self.frames_told.store(false, Ordering::Relaxed);
                    tracing::info!(junction = self.name, "the controller is reached");
                }
                Said::Alarm(alarm, why) => self.alarm(alarm, &why),
            }
        }
    }

    /// It could not even be reached.
    pub(super) fn cannot_connect(&self, address: &str, why: &str) {
        tracing::warn!(junction = self.name, "the controller at {address} cannot be reached, it is tried on: {why}");
    }

    fn alarm(&self, alarm: Alarm, why: &str) {
        self.metrics.controllers.alarmed(alarm);
        match alarm {
            Alarm::Lie | Alarm::Conflict | Alarm::Disobeyed => {
                tracing::error!(junction = self.name, "the controller is given back to its own plan: {why}");
            }
            Alarm::Flashing => {
                tracing::error!(junction = self.name, "the controller is to flash yellow until a person comes: {why}")
            }
            Alarm::PlanRefused => tracing::warn!(junction = self.name, "the controller does not take a plan: {why}"),
            Alarm::Unreachable => tracing::warn!(junction = self.name, "the controller is gone: {why}"),
            Alarm::Trouble => tracing::warn!(junction = self.name, "the controller reports {why}"),
            Alarm::Frame if !self.frames_told.swap(true, Ordering::Relaxed) => {
                tracing::warn!(junction = self.name, "the controller sends what cannot be read: {why}");
            }
            Alarm::Frame => tracing::debug!(junction = self.name, "{why}"),
            Alarm::EngineSilent => tracing::error!(junction = self.name, "{why}"),
        }
    }
}
