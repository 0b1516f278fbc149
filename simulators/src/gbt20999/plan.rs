//! A row of a controller's table of plans, class `09`.
//!
//! Assumed: number, road and the number in the coordination are a byte each; cycle and offset two bytes, s; the chain of
//! stages has 16 places of a byte, that of their times 16 places of two bytes, s, intergreen included, and that of their kinds
//! 16 places of a byte. Places that are not used hold 0.

use super::{Address, Frame, Item, address};

/// Stages of a plan at most.
pub const MAX_CHAIN: usize = 16;
/// A stage that comes in every cycle.
const ALWAYS: u8 = 0x10;

/// A stage in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// Its number.
    pub stage: u8,
    /// How long it stands, intergreen included, s.
    pub time_s: u16,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Its number, from 1.
    pub number: u8,
    /// Which junction of the controller it is for.
    pub road: u8,
    /// Start of its first stage in the cycle, s.
    pub offset_s: u16,
    /// Stages in order.
    pub steps: Vec<PlanStep>,
}

impl PlanRow {
    /// Cycle length, s.
    pub fn cycle_s(&self) -> u16 {
        self.steps.iter().fold(0, |sum, step| sum.saturating_add(step.time_s))
    }

    /// The items that set it. None if it has more stages than fit, or none.
    pub fn items(&self) -> Option<Vec<Item>> {
        if self.steps.is_empty() || self.steps.len() > MAX_CHAIN {
            return None;
        }
        let (mut stages, mut times, mut kinds) = (vec![0; MAX_CHAIN], vec![0; 2 * MAX_CHAIN], vec![0; MAX_CHAIN]);
        for (place, step) in self.steps.iter().enumerate() {
            (stages[place], kinds[place]) = (step.stage, ALWAYS);
            times[2 * place..2 * place + 2].copy_from_slice(&step.time_s.to_be_bytes());
        }
        let values = [
            vec![self.number],
            vec![self.road],
            self.cycle_s().to_be_bytes().to_vec(),
            vec![0],
            self.offset_s.to_be_bytes().to_vec(),
            stages,
            times,
            kinds,
        ];
        let Address(class, object, ..) = address::PLAN;
        let attributes = (1..).zip(values);
        Some(Frame::rows(attributes.map(|(n, value)| (Address(class, object, n, self.number), value))))
    }

    /// Reads the items that set it.
    pub fn read(frame: &Frame) -> Option<PlanRow> {
        let Address(class, object, ..) = address::PLAN;
        let value = |attribute: u8| frame.value(Address(class, object, attribute, 0));
        let word = |bytes: &[u8]| <[u8; 2]>::try_from(bytes).ok().map(u16::from_be_bytes);
        let (&[number], &[road]) = (value(1)?, value(2)?) else { return None };
        let stages = value(6)?.iter().copied();
        let times = value(7)?.chunks(2).map_while(word);
        let used = stages.zip(times).take_while(|(stage, _)| *stage != 0);
        let steps: Vec<PlanStep> = used.map(|(stage, time_s)| PlanStep { stage, time_s }).collect();
        let plan = PlanRow { number, road, offset_s: word(value(5)?)?, steps };
        (!plan.steps.is_empty() && word(value(3)?)? == plan.cycle_s()).then_some(plan)
    }
}
