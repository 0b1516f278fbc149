//! From the names that the outside uses to the city's IDs.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::ids::{BusLineId, CameraId, JunctionId, SiteId, UnitId};
use nanming_dataflows::network::City;

use super::Unfit;
use super::line::NameOrId;

/// Rows of the city's tables by their names.
#[derive(Clone, Debug)]
pub struct Names {
    cameras: Table,
    junctions: Table,
    units: Table,
    sites: Table,
    bus_lines: Table,
}

impl Names {
    /// Takes the names of a city.
    pub fn new(city: &City) -> Names {
        Names {
            cameras: Table::new(city.cameras.iter().map(|c| c.name.as_str())),
            junctions: Table::new(city.junctions.iter().map(|j| j.name.as_str())),
            units: Table::new(city.units.iter().map(|u| u.name.as_str())),
            sites: Table::new(city.sites.iter().map(|s| s.name.as_str())),
            bus_lines: Table::new(city.bus_lines.iter().map(|b| b.name.as_str())),
        }
    }

    /// A camera by its outside name only: its number here means nothing outside.
    pub fn camera(&self, name: &str) -> Result<CameraId, Unfit> {
        let row = self.cameras.find(name);
        row.map(CameraId::from_index).ok_or_else(|| unknown(Reason::UnknownCamera, "camera", name))
    }

    /// A junction.
    pub fn junction(&self, which: &NameOrId) -> Result<JunctionId, Unfit> {
        let row = self.junctions.row(which);
        row.map(JunctionId::from_index).ok_or_else(|| unknown(Reason::UnknownJunction, "junction", which))
    }

    /// A unit.
    pub fn unit(&self, which: &NameOrId) -> Result<UnitId, Unfit> {
        let row = self.units.row(which);
        row.map(UnitId::from_index).ok_or_else(|| unknown(Reason::UnknownUnit, "unit", which))
    }

    /// A building site.
    pub fn site(&self, which: &NameOrId) -> Result<SiteId, Unfit> {
        let row = self.sites.row(which);
        row.map(SiteId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "site", which))
    }

    /// A bus line.
    pub fn bus_line(&self, which: &NameOrId) -> Result<BusLineId, Unfit> {
        let row = self.bus_lines.row(which);
        row.map(BusLineId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "bus line", which))
    }
}

/// Names one behind the other: to look one up costs few waits for memory.
#[derive(Clone, Debug)]
struct Table {
    hasher: RandomState,
    rows: HashTable<u32>,
    names: String,
    /// Where each name ends, by row.
    ends: Vec<u32>,
}

impl Table {
    fn new<'a>(all: impl Iterator<Item = &'a str>) -> Table {
        let (hasher, mut names, mut ends) = (RandomState::new(), String::new(), Vec::new());
        for name in all {
            names.push_str(name);
            ends.push(names.len() as u32);
        }
        let mut rows = HashTable::with_capacity(ends.len());
        let hash = |row: &u32| hasher.hash_one(of_row(&names, &ends, *row));
        for row in 0..ends.len() as u32 {
            rows.insert_unique(hash(&row), row, hash);
        }
        Table { hasher, rows, names, ends }
    }

    fn row(&self, which: &NameOrId) -> Option<usize> {
        match which {
            NameOrId::Id(id) => usize::try_from(*id).ok().filter(|row| *row < self.ends.len()),
            NameOrId::Name(name) => self.find(name),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let is_its = |row: &u32| of_row(&self.names, &self.ends, *row) == name.as_bytes();
        self.rows.find(self.hasher.hash_one(name.as_bytes()), is_its).map(|row| *row as usize)
    }
}

fn of_row<'a>(names: &'a str, ends: &[u32], row: u32) -> &'a [u8] {
    let row = row as usize;
    let begin = row.checked_sub(1).map_or(0, |before| ends[before]);
    &names.as_bytes()[begin as usize..ends[row] as usize]
}

fn unknown(reason: Reason, what: &str, name: impl std::fmt::Display) -> Unfit {
    Unfit::new(reason, format!("the city has no {what} '{name}'"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_name_finds_its_row_and_strangers_find_none() {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let names = Names::new(&city);
        for camera in &city.cameras {
            assert_eq!(names.camera(&camera.name), Ok(camera.id));
        }
        let unit = &city.units[3];
        assert_eq!(names.unit(&NameOrId::Name(unit.name.clone())), Ok(unit.id));
        assert_eq!(names.unit(&NameOrId::Id(3)), Ok(unit.id));
        assert_eq!(names.unit(&NameOrId::Id(999)).unwrap_err().reason, Reason::UnknownUnit);
        assert_eq!(names.camera("x").unwrap_err().reason, Reason::UnknownCamera);
    }
}
