//! The numbers that are set aside in a controller's table of plans for those of the engine: what stands there, which of them
//! was ordered, and what is to be said next so that a plan is run. The one in force is never written over.

use nanming_simulators::gbt20999::PlanRow;

use super::Ask;

/// A plan of the engine as the controller is to hold it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Planned {
    /// Its row; the number is that of where it is written.
    pub(super) row: PlanRow,
    /// When it was made, ms of the city.
    pub(super) made_ms: u64,
    /// Until when it holds, ms of the city.
    pub(super) until_ms: u64,
}

/// What stands under the two numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    numbers: [u8; 2],
    written: [Option<Planned>; 2],
    /// The one ordered last, and whether that was since the controller was in another mode.
    ordered: Option<(usize, bool)>,
    /// The plan that it refused last: when that was made.
    refused_ms: Option<u64>,
}

impl Slots {
    pub(super) fn new(numbers: [u8; 2]) -> Slots {
        Slots { numbers, ..Slots::default() }
    }

    /// The controller may have started anew: all is written again. What it refused it may take now.
    pub(super) fn forget(&mut self) {
        *self = Slots::new(self.numbers);
    }

    /// The plan that can be run when `wanted` is: that one or, if it was refused, the one ordered before it while it holds.
    pub(super) fn choose<'a>(&'a self, wanted: &'a Planned) -> Option<&'a Planned> {
        let ordered = || self.ordered.and_then(|(slot, _)| self.written[slot].as_ref());
        let is_taken = |plan: &&Planned| Some(plan.made_ms) != self.refused_ms;
        let before = || ordered().filter(|plan| wanted.made_ms < plan.until_ms);
        Some(wanted).filter(is_taken).or_else(before).filter(is_taken)
    }

    /// What must be said before the plan runs, other than the mode; `told` is the plan that the controller tells.
    pub(super) fn next(&self, plan: &Planned, told: Option<u16>) -> Result<(), Option<Ask>> {
        if let Some(slot) = self.find(plan) {
            return if self.ordered == Some((slot, true)) { Ok(()) } else { Err(Some(Ask::Plan(self.numbers[slot]))) };
        }
        let is_told = |slot: usize| told == Some(u16::from(self.numbers[slot]));
        let is_ordered = |slot: usize| self.ordered == Some((slot, true));
        // While the one ordered last has not come yet, both are in use.
        let free = (0..2).find(|slot| !is_told(*slot) && !is_ordered(*slot));
        Err(free.map(|slot| Ask::Write(PlanRow { number: self.numbers[slot], ..plan.row.clone() })))
    }

    /// The plan that it is to run, if it was not in another mode since: its number and cycle, s.
    pub(super) fn running(&self) -> Option<(u8, u16)> {
        let (slot, _) = self.ordered.filter(|(_, is_since)| *is_since)?;
        Some((self.numbers[slot], self.written[slot].as_ref()?.row.cycle_s()))
    }

    /// A row was written. Whether it is one of the engine's plans.
    pub(super) fn wrote(&mut self, row: &PlanRow, plan: Option<&Planned>) -> bool {
        let slot = self.slot(row.number);
        if let Some(slot) = slot {
            self.written[slot] = plan.cloned().filter(|plan| is_same(&plan.row, row));
        }
        slot.is_some()
    }

    /// It is to run the plan with a number.
    pub(super) fn order(&mut self, number: u8) {
        self.ordered = self.slot(number).map(|slot| (slot, true));
    }

    /// It is in another mode: before it runs plans again, they are ordered anew.
    pub(super) fn interrupt(&mut self) {
        self.ordered = self.ordered.map(|(slot, _)| (slot, false));
    }

    /// None is in force that it could go back to.
    pub(super) fn stop(&mut self) {
        self.ordered = None;
    }

    /// It will not have a plan. Whether it has not refused that before.
    pub(super) fn refuse(&mut self, made_ms: u64) -> bool {
        self.refused_ms.replace(made_ms) != Some(made_ms)
    }

    /// The same plan, made anew, holds for longer.
    pub(super) fn renew(&mut self, plan: &Planned) {
        if let Some(slot) = self.find(plan) {
            self.written[slot] = Some(plan.clone());
        }
    }

    fn find(&self, plan: &Planned) -> Option<usize> {
        self.written.iter().position(|known| known.as_ref().is_some_and(|known| is_same(&known.row, &plan.row)))
    }

    fn slot(&self, number: u8) -> Option<usize> {
        self.numbers.iter().position(|known| *known == number && number != 0)
    }
}

/// Whether two rows differ in nothing but their numbers.
fn is_same(a: &PlanRow, b: &PlanRow) -> bool {
    (a.road, a.offset_s, &a.steps) == (b.road, b.offset_s, &b.steps)
}
