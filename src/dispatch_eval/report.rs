//! What was measured, for people and programs.

use std::collections::BTreeMap;
use std::fmt;

use nanming_dataflows::event::Priority;
use serde::Serialize;

use super::bound::Bound;
use super::{ByPriority, Calls, Figures, Name, Plan};

/// All that was measured. The figures at its top are those of the policy that was named first.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The table.
    pub file: String,
    /// Its calls that were replayed.
    pub calls: usize,
    /// The same by priority.
    pub calls_by_priority: ByPriority,
    /// Units in service.
    pub units: usize,
    /// Of the replays whose mean this is.
    pub seeds: Vec<u64>,
    /// How units travel.
    pub travel: String,
    /// Of the policy that was named first.
    #[serde(flatten)]
    pub first: Figures,
    /// Of each policy.
    pub policies: BTreeMap<&'static str, Figures>,
    /// What no policy can beat.
    pub bound: Bound,
    #[serde(skip)]
    order: Vec<Name>,
}

impl Report {
    pub(super) fn new(plan: &Plan, calls: &Calls, policies: Vec<(Name, Figures)>, bounds: &[Bound]) -> Report {
        let count = |priority| calls.priority.iter().filter(|other| **other == priority).count() as f64;
        let best = bounds.iter().map(|bound| bound.a_within_8min).sum::<f64>() / bounds.len().max(1) as f64;
        let mean_response_s = bounds.first().copied().unwrap_or_default().mean_response_s;
        Report {
            file: plan.calls.file_name().unwrap_or(plan.calls.as_os_str()).to_string_lossy().into_owned(),
            calls: calls.len(),
            calls_by_priority: ByPriority { a: count(Priority::A), b: count(Priority::B), c: count(Priority::C) },
            units: plan.units,
            seeds: plan.seeds.clone(),
            travel: plan.travel.to_string(),
            first: policies.first().map(|(_, figures)| figures.clone()).unwrap_or_default(),
            order: policies.iter().map(|(name, _)| *name).collect(),
            policies: policies.into_iter().map(|(name, figures)| (name.text(), figures)).collect(),
            bound: Bound { a_within_8min: best, mean_response_s },
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { file, calls, units, travel, bound, .. } = self;
        let ByPriority { a, b, c } = self.calls_by_priority;
        writeln!(f, "{file}: {calls} calls ({a} A, {b} B, {c} C), {units} units, {travel}")?;
        writeln!(f, "means of {} replays; response from the receipt of a call to the arrival, s", self.seeds.len())?;
        let heads = ["A within 8 min", "mean response", "longest", "preempted", "changed", "units busy"];
        let [within, mean, longest, preempted, changed, busy] = heads;
        writeln!(f, "\n{:8}  {within:>14}{mean:>24}{longest:>24}  {preempted:>10} {changed:>8}  {busy:>11}", "")?;
        writeln!(f, "{:8}  {:>14}{}", "", "", "       A       B       C".repeat(2))?;
        for (name, of) in self.in_order() {
            let (mean, longest) = (triple(of.mean_response_s), triple(of.longest_response_s));
            let within = of.a_within_8min * 100.0;
            let busy = format!("{:.0}-{:.0} %", of.least_busy * 100.0, of.most_busy * 100.0);
            writeln!(
                f,
                "{name:8}  {within:>12.1} %{mean}{longest}  {:>10.0} {:>8.0}  {busy:>11}",
                of.preemptions, of.changes
            )?;
        }
        let within = bound.a_within_8min * 100.0;
        writeln!(
            f,
            "{:8}  {within:>12.1} %{}  no policy is better, though it knew all calls beforehand",
            "bound",
            triple(bound.mean_response_s)
        )?;
        writeln!(
            f,
            "\n{:8}  {:>24}{:>24}{:>24}{:>24}",
            "", "mean wait for a unit", "mean drive", "median response", "nine of ten within"
        )?;
        writeln!(f, "{:8}  {}", "", "       A       B       C".repeat(4))?;
        for (name, of) in self.in_order() {
            let columns =
                [of.mean_queue_s, of.mean_travel_s, of.median_response_s, of.p90_response_s].map(triple).concat();
            writeln!(f, "{name:8}  {columns}")?;
        }
        self.districts(f)
    }
}

impl Report {
    fn in_order(&self) -> impl Iterator<Item = (&'static str, &Figures)> {
        self.order.iter().filter_map(|name| Some((name.text(), self.policies.get(name.text())?)))
    }

    /// Where calls of priority A are served best and worst.
    fn districts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, of) in self.in_order() {
            let by_time = |one: &(&String, &f64), other: &(&String, &f64)| one.1.total_cmp(other.1);
            let best = of.a_response_by_district_s.iter().min_by(by_time);
            let worst = of.a_response_by_district_s.iter().max_by(by_time);
            if let (Some((best, least_s)), Some((worst, most_s))) = (best, worst) {
                writeln!(f, "{name:8}  A by district: {least_s:.0} s in {best} to {most_s:.0} s in {worst}")?;
            }
        }
        Ok(())
    }
}

fn triple(ByPriority { a, b, c }: ByPriority) -> String {
    format!("{a:>8.0}{b:>8.0}{c:>8.0}")
}
