//! Whose numbers a ledger holds: the grids and units of its city, by row. Another city's would be other places and people.

use nanming_dataflows::event::{CallFacts, Standing};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::{City, LonLat, Point};

use super::LedgerError;

/// What of a city the numbers in its ledger stand for. Streets, cameras and signals may change; these may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roster {
    grids: usize,
    units: usize,
    pub(super) fingerprint: i64,
}

impl Roster {
    pub(super) fn of(city: &City) -> Result<Roster, LedgerError> {
        let grids: Vec<(Point, Point)> = city.grids.iter().map(|g| (g.min, g.max)).collect();
        let units: Vec<&str> = city.units.iter().map(|u| u.name.as_str()).collect();
        let what: (LonLat, Vec<(Point, Point)>, Vec<&str>) = (city.origin, grids, units);
        let bytes = postcard::to_stdvec(&what).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
        let hash = blake3::hash(&bytes);
        let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(Roster { grids: city.grids.len(), units: city.units.len(), fingerprint: i64::from_le_bytes(first) })
    }

    /// Whether the city has the grid and the unit of a call.
    pub(super) fn check(&self, call: CallId, facts: &CallFacts, standing: &Standing) -> Result<(), LedgerError> {
        if facts.grid.index() >= self.grids {
            let grid = facts.grid;
            return Err(LedgerError::Corrupt(format!("call {call} names grid {grid}, which the city does not have")));
        }
        standing.unit.map_or(Ok(()), |unit| self.unit(call, unit.0).map(|_| ()))
    }

    /// The unit of this row, if the city has it.
    pub(super) fn unit(&self, call: CallId, row: u32) -> Result<UnitId, LedgerError> {
        let unit = UnitId(row);
        if unit.index() < self.units {
            return Ok(unit);
        }
        Err(LedgerError::Corrupt(format!("call {call} names unit {row}, which the city does not have")))
    }
}
