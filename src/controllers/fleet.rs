//! All controllers: who is told what is wanted at a junction, and what is known of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nanming_dataflows::decision::{SignalChoice, SignalCommand, SignalPlan, StageReason};
use nanming_dataflows::ids::JunctionId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::line::LineTask;
use super::tell::Tell;
use super::{Rules, State, Table};
use crate::door::Inbox;
use crate::metrics::Metrics;

/// What is wanted at a junction. The latest holds: an order that was overtaken is not sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// The stage of the engine.
    stage: Option<u16>,
    /// When the engine ordered last, ms of the city.
    pub(super) at_ms: u64,
    /// The engine's last plan.
    plan: Option<Arc<SignalPlan>>,
    /// The stage that the engine holds for somebody with priority, off its plan.
    claimed: Option<u16>,
    /// How often the engine has ordered.
    pub(super) count: u64,
    /// A stage that somebody holds, and until when.
    lock: Option<(u16, Instant)>,
}

impl Orders {
    /// The stage that is wanted: the one held, or else the engine's.
    pub(super) fn stage(&self) -> Option<u16> {
        let held = self.lock.filter(|(_, until)| Instant::now() < *until).map(|(stage, _)| stage);
        held.or(self.claimed).or(self.stage)
    }

    /// The plan that is wanted in place of stages: none while a stage is held, or none holds.
    pub(super) fn plan(&self) -> Option<&Arc<SignalPlan>> {
        let is_held = self.claimed.is_some() || self.lock.is_some_and(|(_, until)| Instant::now() < until);
        self.plan.as_ref().filter(|plan| !is_held && self.at_ms < plan.holds_until_ms())
    }
}

struct Post {
    /// By stage: whether the controller has it.
    has: Vec<bool>,
    takes_plans: bool,
    orders: watch::Sender<Orders>,
    state: watch::Receiver<State>,
}

/// The way to the controllers.
pub struct Fleet {
    /// By junction.
    posts: Vec<Option<Post>>,
}

/// Their connections, to be run.
pub struct Lines(Vec<LineTask>);

impl Fleet {
    /// Makes the way, and the connections that are to be run.
    pub fn open(
        table: Table,
        rules: &Rules,
        inbox: &Inbox,
        metrics: &Arc<Metrics>,
        stop: &watch::Receiver<bool>,
    ) -> (Arc<Fleet>, Lines) {
        let junctions = table.0.first().map_or(0, |site| site.city.junctions.len());
        let mut posts: Vec<Option<Post>> = (0..junctions).map(|_| None).collect();
        let lines = table.0.into_iter().map(|site| {
            let (orders, wanted) = watch::channel(Orders::default());
            let (known, state) = watch::channel(State::default());
            let has = site.stages.iter().map(|number| *number != 0).collect();
            posts[site.junction.index()] = Some(Post { has, takes_plans: site.plan_slots.is_some(), orders, state });
            let tell = Tell::new(&site, inbox.clone(), Arc::clone(metrics), known);
            LineTask::new(site, rules.clone(), wanted, tell, stop.clone())
        });
        let lines = Lines(lines.collect());
        (Arc::new(Fleet { posts }), lines)
    }

    /// Takes a command of the engine. Its stage is what counts: the controller makes its own way there, so that the yellow
    /// towards a stage already asks for it.
    pub fn order(&self, command: &SignalCommand) {
        if let Some(post) = self.post(command.junction) {
            post.orders.send_modify(|orders| {
                (orders.stage, orders.at_ms, orders.count) = (Some(command.stage), command.at_ms, orders.count + 1);
            });
        }
    }

    /// Takes a plan of the engine.
    pub fn plan(&self, plan: &SignalPlan) {
        if let Some(post) = self.post(plan.junction).filter(|post| post.takes_plans) {
            post.orders.send_modify(|orders| orders.plan = Some(Arc::new(plan.clone())));
        }
    }

    /// Takes why the engine wants a stage: one that it holds for a unit or a bus goes before the plan.
    pub fn choose(&self, choice: &SignalChoice) {
        let claimed = matches!(choice.reason, StageReason::Preemption | StageReason::Bus).then_some(choice.wanted);
        if let Some(post) = self.post(choice.junction).filter(|post| post.takes_plans) {
            post.orders.send_if_modified(|orders| std::mem::replace(&mut orders.claimed, claimed) != claimed);
        }
    }

    /// Whether the controller of a junction has a stage.
    pub fn has(&self, junction: JunctionId, stage: u16) -> bool {
        self.post(junction).is_some_and(|post| post.has.get(usize::from(stage)) == Some(&true))
    }

    /// Holds a stage for a while, whatever the engine orders, as long as it orders at all.
    pub fn lock(&self, junction: JunctionId, stage: u16, time: Duration) {
        if let Some(post) = self.post(junction) {
            post.orders.send_modify(|orders| orders.lock = Some((stage, Instant::now() + time)));
        }
    }

    /// Ends what was held.
    pub fn unlock(&self, junction: JunctionId) {
        if let Some(post) = self.post(junction) {
            post.orders.send_modify(|orders| orders.lock = None);
        }
    }

    /// Whether a stage is held at a junction.
    pub fn is_locked(&self, junction: JunctionId) -> bool {
        let lock = self.post(junction).and_then(|post| post.orders.borrow().lock);
        lock.is_some_and(|(_, until)| Instant::now() < until)
    }

    /// What is known of the controller of a junction; none where it has none.
    pub fn state(&self, junction: JunctionId) -> Option<State> {
        self.post(junction).map(|post| post.state.borrow().clone())
    }

    fn post(&self, junction: JunctionId) -> Option<&Post> {
        self.posts.get(junction.index())?.as_ref()
    }
}

impl Lines {
    /// Runs all connections until the end.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        self.0.into_iter().for_each(|line| drop(tasks.spawn(line.run())));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
