//! Which units had better wait elsewhere: advice that stands, and what is advised next.
//!
//! A unit that was advised counts as standing where it was sent: the next is advised for what is still lacking. Advice stands
//! until its unit is there, is engaged or has not gone in time, or until the move would gain nothing any more. Afterwards the
//! unit is left in peace for a while: nobody drives to and fro.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Rules;
use super::standing::{Gain, Reach, Standing};
use crate::Time;
use crate::ids::UnitId;

/// A unit had better wait elsewhere. Grids are rows of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Which unit.
    pub unit: UnitId,
    /// The grid that it was in.
    pub from: u32,
    /// The grid in which to wait.
    pub to: u32,
    /// How long the drive takes, ms.
    pub drive_ms: u32,
    /// What it gains within the target, 1/1,000,000 of all demand.
    pub gain_ppm: u32,
    /// When it was first said, ms.
    pub since_ms: Time,
    /// Until when it holds, ms.
    pub until_ms: Time,
}

/// What is expected, and how busy units are.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// Drive times between grids.
    pub reach: &'a Reach,
    /// Demand by grid.
    pub demand: &'a [u64],
    /// Share of the units that are engaged, 1/1,000,000.
    pub busy_ppm: u64,
}

/// Advice that stands, and units that are left in peace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    standing: BTreeMap<UnitId, Advice>,
    rest_until_ms: BTreeMap<UnitId, Time>,
}

impl Book {
    /// The advice that stands, by unit.
    pub fn standing(&self) -> impl Iterator<Item = &Advice> {
        self.standing.values()
    }

    /// Whether a unit is advised.
    pub fn advises(&self, unit: UnitId) -> bool {
        self.standing.contains_key(&unit)
    }

    /// Looks at the units at hand, each once with the grid (row) that it is in; the share of demand covered as they stand now,
    /// 1/1,000,000.
    pub fn look(&mut self, rules: &Rules, tick: Time, outlook: Outlook<'_>, idle: &[(UnitId, usize)]) -> u64 {
        let now: Vec<usize> = idle.iter().map(|(_, grid)| *grid).collect();
        let covered = Standing::new(rules, outlook.reach, outlook.demand, outlook.busy_ppm, &now);
        let covered_ppm = covered.covered_ppm();
        self.rest_until_ms.retain(|_, until_ms| *until_ms > tick);
        self.withdraw(rules, tick, idle);
        self.renew(rules, tick, outlook, idle);
        if outlook.busy_ppm <= rules.most_busy_ppm {
            self.advise(rules, tick, outlook, idle);
        }
        covered_ppm
    }

    /// Withdraws what is over: the unit is not at hand, is there, or did not go.
    fn withdraw(&mut self, rules: &Rules, tick: Time, idle: &[(UnitId, usize)]) {
        let at: BTreeMap<UnitId, usize> = idle.iter().copied().collect();
        let stands = |advice: &Advice| {
            let is_there = at.get(&advice.unit).is_none_or(|grid| *grid == advice.to as usize);
            !is_there && tick < advice.until_ms
        };
        let over: Vec<UnitId> = self.standing.values().filter(|advice| !stands(advice)).map(|a| a.unit).collect();
        over.into_iter().for_each(|unit| self.end(unit, rules, tick));
    }

    fn end(&mut self, unit: UnitId, rules: &Rules, tick: Time) {
        self.standing.remove(&unit);
        self.rest_until_ms.insert(unit, tick + rules.rest_ms);
    }

    /// Withdraws what would gain nothing any more.
    fn renew(&mut self, rules: &Rules, tick: Time, outlook: Outlook<'_>, idle: &[(UnitId, usize)]) {
        for (unit, grid) in idle {
            let Some(advice) = self.standing.get(unit).copied() else { continue };
            let standing = self.stood(rules, outlook, idle);
            // What would be lost if it stayed.
            let back = standing.gain(advice.to as usize, *grid);
            let gain_ppm = standing.share_ppm(back.in_time.saturating_neg());
            match u32::try_from(gain_ppm) {
                Ok(gain_ppm) if gain_ppm > 0 && back.value < 0 => {
                    self.standing.insert(*unit, Advice { gain_ppm, ..advice });
                }
                _ => self.end(*unit, rules, tick),
            }
        }
    }

    /// Advises what gains most for a minute of driving, one unit after the other.
    fn advise(&mut self, rules: &Rules, tick: Time, outlook: Outlook<'_>, idle: &[(UnitId, usize)]) {
        let mut standing = self.stood(rules, outlook, idle);
        while self.standing.len() < rules.moves {
            let is_worth_it = |to: &usize| standing.most_gain_ppm(*to) >= u64::from(rules.least_gain_ppm);
            let to: Vec<usize> = (0..outlook.reach.grids()).filter(is_worth_it).collect();
            let moves = self.may_move(idle).into_iter();
            let moves = moves.flat_map(|(from, unit)| candidates(rules, outlook.reach, &standing, unit, from, &to));
            // Gains for a minute are compared without dividing.
            let better = |one: &Candidate, other: &Candidate| {
                let [a, b] = [(one, other), (other, one)].map(|(gain, drive)| gain.value * drive.effort_ms());
                a.cmp(&b).then_with(|| (other.unit, other.to).cmp(&(one.unit, one.to)))
            };
            let Some(best) = moves.max_by(better) else { return };
            standing.shift(best.from, best.to);
            self.standing.insert(best.unit, best.advice(rules, tick));
        }
    }

    /// For each grid with units that may be advised, the first of them: they are alike.
    fn may_move(&self, idle: &[(UnitId, usize)]) -> BTreeMap<usize, UnitId> {
        let may = |unit: &UnitId| !self.advises(*unit) && !self.rest_until_ms.contains_key(unit);
        idle.iter().rev().filter(|(unit, _)| may(unit)).map(|(unit, grid)| (*grid, *unit)).collect()
    }

    /// Units where they stand once they have gone where they were advised to.
    fn stood<'a>(&self, rules: &'a Rules, outlook: Outlook<'a>, idle: &[(UnitId, usize)]) -> Standing<'a> {
        let at = |(unit, grid): &(UnitId, usize)| self.standing.get(unit).map_or(*grid, |advice| advice.to as usize);
        let at: Vec<usize> = idle.iter().map(at).collect();
        Standing::new(rules, outlook.reach, outlook.demand, outlook.busy_ppm, &at)
    }
}

/// A move that would pay.
struct Candidate {
    unit: UnitId,
    from: usize,
    to: usize,
    drive_ms: u32,
    value: i128,
    gain_ppm: u32,
}

/// Moves of a unit to one of these grids that would pay.
fn candidates(
    rules: &Rules,
    reach: &Reach,
    standing: &Standing<'_>,
    unit: UnitId,
    from: usize,
    to: &[usize],
) -> Vec<Candidate> {
    let candidate = |to: usize| {
        let drive_ms = reach.drive_ms(from, to);
        if to == from || drive_ms > rules.most_drive_ms {
            return None;
        }
        let Gain { value, in_time } = standing.gain(from, to);
        let gain_ppm = u32::try_from(standing.share_ppm(in_time)).ok()?;
        let pays = gain_ppm >= rules.least_gain_ppm && value > 0;
        pays.then_some(Candidate { unit, from, to, drive_ms, value: i128::from(value), gain_ppm })
    };
    to.iter().copied().filter_map(candidate).collect()
}

impl Candidate {
    /// What it takes: the drive, and setting out at all.
    fn effort_ms(&self) -> i128 {
        i128::from(self.drive_ms) + 60_000
    }

    fn advice(&self, rules: &Rules, tick: Time) -> Advice {
        Advice {
            unit: self.unit,
            from: self.from as u32,
            to: self.to as u32,
            drive_ms: self.drive_ms,
            gain_ppm: self.gain_ppm,
            since_ms: tick,
            until_ms: tick + 2 * u64::from(self.drive_ms) + rules.patience_ms,
        }
    }
}
