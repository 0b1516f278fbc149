//! All controllers: who is told what is wanted at a junction, and what is known of it.

use std::sync::Arc;

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
    /// The stage that the engine ordered last.
    stage: Option<u16>,
    /// When the engine ordered last, ms of the city.
    pub(super) at_ms: u64,
    /// The engine's last plan.
    plan: Option<Arc<SignalPlan>>,
    /// The stage that the engine wants for somebody with priority, or who holds it, off its plan.
    claimed: Option<u16>,
    /// How often the engine has ordered.
    pub(super) count: u64,
}

impl Orders {
    /// The stage that is wanted.
    pub(super) fn stage(&self) -> Option<u16> {
        self.claimed.or(self.stage)
    }

    /// The plan that is wanted in place of stages: none while a stage is claimed, or none holds.
    pub(super) fn plan(&self) -> Option<&Arc<SignalPlan>> {
        self.plan.as_ref().filter(|plan| self.claimed.is_none() && self.at_ms < plan.holds_until_ms())
    }

    fn order(&mut self, command: &SignalCommand) {
        (self.stage, self.at_ms, self.count) = (Some(command.stage), command.at_ms, self.count + 1);
        // What was claimed before the controller left is not known to be so still.
        self.claimed = self.claimed.filter(|_| command.reason != StageReason::Start);
    }

    /// Whether that changes anything. A shortest green says nothing of who wants the stage.
    fn choose(&mut self, choice: &SignalChoice) -> bool {
        let claimed = match choice.reason {
            StageReason::MinGreen => self.claimed,
            StageReason::Preemption | StageReason::Hold | StageReason::Bus => Some(choice.wanted),
            _ => None,
        };
        std::mem::replace(&mut self.claimed, claimed) != claimed
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
            post.orders.send_modify(|orders| orders.order(command));
        }
    }

    /// Takes a plan of the engine.
    pub fn plan(&self, plan: &SignalPlan) {
        if let Some(post) = self.post(plan.junction).filter(|post| post.takes_plans) {
            post.orders.send_modify(|orders| orders.plan = Some(Arc::new(plan.clone())));
        }
    }

    /// Takes why the engine wants a stage: one for a unit, for who holds it or for a bus goes before the plan.
    pub fn choose(&self, choice: &SignalChoice) {
        if let Some(post) = self.post(choice.junction).filter(|post| post.takes_plans) {
            post.orders.send_if_modified(|orders| orders.choose(choice));
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

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::Interval;

    use super::*;

    const NOW_MS: u64 = 1_000_000;

    fn choice(reason: StageReason) -> SignalChoice {
        let junction = JunctionId(0);
        SignalChoice { junction, time_ms: NOW_MS, stage: 0, wanted: 1, reason, scores_milli: vec![] }
    }

    fn command(reason: StageReason) -> SignalCommand {
        let (junction, interval, lamps) = (JunctionId(0), Interval::Green, vec![]);
        SignalCommand { junction, at_ms: NOW_MS, stage: 0, interval, lamps, reason }
    }

    fn planned() -> Orders {
        let (junction, group, steps) = (JunctionId(0), JunctionId(0), vec![]);
        let (time_ms, cycle_ms, offset_ms, saturation_milli) = (NOW_MS, 80_000, 0, 0);
        let plan = SignalPlan { junction, time_ms, group, cycle_ms, offset_ms, saturation_milli, steps };
        let mut orders = Orders { plan: Some(Arc::new(plan)), ..Orders::default() };
        orders.order(&command(StageReason::Plan));
        orders
    }

    #[test]
    fn stages_go_before_the_plan_while_somebody_has_priority_or_holds_one() {
        for claims in [StageReason::Preemption, StageReason::Hold, StageReason::Bus] {
            let mut orders = planned();
            assert!(orders.plan().is_some());
            assert!(orders.choose(&choice(claims)));
            assert_eq!((orders.plan(), orders.stage()), (None, Some(1)), "{claims:?}");
            assert!(!orders.choose(&choice(StageReason::MinGreen)), "it has just begun");
            assert!(orders.choose(&choice(StageReason::Plan)));
            assert!(orders.plan().is_some() && orders.stage() == Some(0));
        }
    }

    #[test]
    fn what_was_claimed_before_it_left_is_forgotten_when_it_is_taken_over() {
        let mut orders = planned();
        orders.choose(&choice(StageReason::Hold));
        orders.order(&command(StageReason::Hold));
        assert_eq!(orders.stage(), Some(1));
        orders.order(&command(StageReason::Start));
        assert_eq!(orders.stage(), Some(0));
    }
}
