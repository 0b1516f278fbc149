//! What trickles in besides traffic and calls: reports from building sites, and the steps of cases.

use std::collections::BTreeMap;

use nanming_dataflows::event::{CaseStage, CaseStep, Event, Finding, SiteReport};
use nanming_dataflows::ids::{CaseId, SiteId, UnitId};
use nanming_dataflows::network::City;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{exponential_ms, stream};

const SITE_REPORTS_PER_SITE_DAY: f64 = 1.5;
const STEPS: [CaseStage; 5] =
    [CaseStage::Accepted, CaseStage::Investigated, CaseStage::Reviewed, CaseStage::Decided, CaseStage::Closed];

/// Site reports and cases to come.
#[derive(Clone, Debug)]
pub(super) struct Paperwork {
    rng: ChaCha8Rng,
    next_site_ms: u64,
    next_case: u64,
    steps: BTreeMap<(u64, CaseId), (usize, UnitId)>,
}

impl Paperwork {
    /// None yet.
    pub(super) fn new(seed: u64, now_ms: u64) -> Self {
        Paperwork { rng: stream(seed, 6), next_site_ms: now_ms, next_case: 1, steps: BTreeMap::new() }
    }

    /// A call was closed by a unit; about half of such crimes become a case.
    pub(super) fn open_case(&mut self, by: UnitId, now_ms: u64) {
        if self.rng.random_bool(0.5) {
            self.steps.insert((now_ms + 600_000, CaseId(self.next_case)), (0, by));
            self.next_case += 1;
        }
    }

    /// What comes in now.
    pub(super) fn advance(&mut self, city: &City, now_ms: u64, out: &mut Vec<Event>) {
        while let Some(entry) = self.steps.first_entry().filter(|e| e.key().0 <= now_ms) {
            let ((time_ms, case), (step, by)) = entry.remove_entry();
            out.push(Event::Case(CaseStep { time_ms, case, stage: STEPS[step], by }));
            // One case in fifty skips a step: work for the audit.
            let next = step + if self.rng.random_bool(0.02) { 2 } else { 1 };
            if next < STEPS.len() {
                let gap_ms = exponential_ms(&mut self.rng, 4.0 * 3_600_000.0);
                self.steps.insert((time_ms + gap_ms, case), (next, by));
            }
        }
        while now_ms >= self.next_site_ms && !city.sites.is_empty() {
            let time_ms = self.next_site_ms;
            let mean_ms = 86_400_000.0 / (SITE_REPORTS_PER_SITE_DAY * city.sites.len() as f64);
            self.next_site_ms += exponential_ms(&mut self.rng, mean_ms);
            let site = SiteId::from_index(self.rng.random_range(0..city.sites.len()));
            let finding = match self.rng.random_range(0..100) {
                0..=29 => Finding::Dust,
                30..=44 => Finding::Mud,
                45..=59 => Finding::Noise,
                60..=64 => Finding::Danger,
                _ => Finding::Clean,
            };
            out.push(Event::Site(SiteReport { time_ms, site, finding }));
        }
    }
}
