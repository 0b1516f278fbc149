//! All controllers: who is told what is wanted at a junction, and what is known of it.

use std::sync::Arc;

use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::ids::JunctionId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::line::LineTask;
use super::tell::Tell;
use super::{Rules, State, Table};
use crate::door::Inbox;
use crate::metrics::Metrics;

/// What is wanted at a junction. The latest holds: an order that was overtaken is not sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders {
    /// The stage that the engine ordered last.
    pub(super) stage: Option<u16>,
    /// How often the engine has ordered.
    pub(super) count: u64,
}

struct Post {
    /// By stage: whether the controller has it.
    has: Vec<bool>,
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
            posts[site.junction.index()] = Some(Post { has, orders, state });
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
                (orders.stage, orders.count) = (Some(command.stage), orders.count + 1);
            });
        }
    }

    /// Whether the controller of a junction has a stage.
    pub fn has(&self, junction: JunctionId, stage: u16) -> bool {
        self.post(junction).is_some_and(|post| post.has.get(usize::from(stage)) == Some(&true))
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
