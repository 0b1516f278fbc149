//! From the names that the outside uses to the city's IDs.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::ids::{BusLineId, CameraId, JunctionId, SiteId, UnitId};
use nanming_dataflows::network::City;

use super::Unfit;
use super::line::NameOrId;

/// Rows of the city's tables by their names: four bytes a name and a little.
#[derive(Clone, Debug)]
pub struct Names {
    city: Arc<City>,
    hasher: RandomState,
    cameras: HashTable<u32>,
    junctions: HashTable<u32>,
    units: HashTable<u32>,
    sites: HashTable<u32>,
    bus_lines: HashTable<u32>,
}

impl Names {
    /// Takes the names of a city.
    pub fn new(city: Arc<City>) -> Names {
        let hasher = RandomState::new();
        Names {
            cameras: by_name(&hasher, &city.cameras, |c| &c.name),
            junctions: by_name(&hasher, &city.junctions, |j| &j.name),
            units: by_name(&hasher, &city.units, |u| &u.name),
            sites: by_name(&hasher, &city.sites, |s| &s.name),
            bus_lines: by_name(&hasher, &city.bus_lines, |b| &b.name),
            hasher,
            city,
        }
    }

    /// A camera by its outside name only: its number here means nothing outside.
    pub fn camera(&self, name: &str) -> Result<CameraId, Unfit> {
        let row = self.find(&self.cameras, name, |row| &self.city.cameras[row].name);
        row.map(CameraId::from_index).ok_or_else(|| unknown(Reason::UnknownCamera, "camera", name))
    }

    /// A junction.
    pub fn junction(&self, which: &NameOrId) -> Result<JunctionId, Unfit> {
        let row = self.row(which, &self.junctions, self.city.junctions.len(), |row| &self.city.junctions[row].name);
        row.map(JunctionId::from_index).ok_or_else(|| unknown(Reason::UnknownJunction, "junction", which))
    }

    /// A unit.
    pub fn unit(&self, which: &NameOrId) -> Result<UnitId, Unfit> {
        let row = self.row(which, &self.units, self.city.units.len(), |row| &self.city.units[row].name);
        row.map(UnitId::from_index).ok_or_else(|| unknown(Reason::UnknownUnit, "unit", which))
    }

    /// A building site.
    pub fn site(&self, which: &NameOrId) -> Result<SiteId, Unfit> {
        let row = self.row(which, &self.sites, self.city.sites.len(), |row| &self.city.sites[row].name);
        row.map(SiteId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "site", which))
    }

    /// A bus line.
    pub fn bus_line(&self, which: &NameOrId) -> Result<BusLineId, Unfit> {
        let row = self.row(which, &self.bus_lines, self.city.bus_lines.len(), |row| &self.city.bus_lines[row].name);
        row.map(BusLineId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "bus line", which))
    }

    fn row<'a>(
        &self,
        which: &NameOrId,
        table: &HashTable<u32>,
        rows: usize,
        name_of: impl Fn(usize) -> &'a String,
    ) -> Option<usize> {
        match which {
            NameOrId::Id(id) => usize::try_from(*id).ok().filter(|row| *row < rows),
            NameOrId::Name(name) => self.find(table, name, name_of),
        }
    }

    fn find<'a>(&self, table: &HashTable<u32>, name: &str, name_of: impl Fn(usize) -> &'a String) -> Option<usize> {
        let found = table.find(self.hasher.hash_one(name), |row| name_of(*row as usize) == name);
        found.map(|row| *row as usize)
    }
}

fn by_name<T>(hasher: &RandomState, table: &[T], name: impl Fn(&T) -> &String) -> HashTable<u32> {
    let mut rows = HashTable::with_capacity(table.len());
    let hash = |row: &u32| hasher.hash_one(name(&table[*row as usize]).as_str());
    for row in 0..table.len() as u32 {
        rows.insert_unique(hash(&row), row, hash);
    }
    rows
}

fn unknown(reason: Reason, what: &str, name: impl std::fmt::Display) -> Unfit {
    Unfit::new(reason, format!("the city has no {what} '{name}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_row_and_strangers_find_none() {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let names = Names::new(city.clone());
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
