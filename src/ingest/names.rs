//! From the names that the outside uses to the city's IDs.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::ids::{BusLineId, CameraId, JunctionId, SiteId, UnitId};
use nanming_dataflows::network::City;

use super::Unfit;
use super::line::NameOrId;

/// Rows of the city's tables in the order of their names: four bytes a name. Cameras are asked for a million times a second:
/// theirs are hashed.
#[derive(Clone, Debug)]
pub struct Names {
    city: Arc<City>,
    cameras: HashTable<u32>,
    hasher: RandomState,
    junctions: Vec<u32>,
    units: Vec<u32>,
    sites: Vec<u32>,
    bus_lines: Vec<u32>,
}

impl Names {
    /// Sorts the names of a city.
    pub fn new(city: Arc<City>) -> Names {
        let hasher = RandomState::new();
        Names {
            cameras: hashed(&city, &hasher),
            hasher,
            junctions: by_name(&city.junctions, |j| &j.name),
            units: by_name(&city.units, |u| &u.name),
            sites: by_name(&city.sites, |s| &s.name),
            bus_lines: by_name(&city.bus_lines, |b| &b.name),
            city,
        }
    }

    /// A camera by its outside name only: its number here means nothing outside.
    pub fn camera(&self, name: &str) -> Result<CameraId, Unfit> {
        let row = self.cameras.find(self.hasher.hash_one(name), |row| self.city.cameras[*row as usize].name == name);
        row.map(|row| CameraId(*row)).ok_or_else(|| unknown(Reason::UnknownCamera, "camera", name))
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
        sorted: &[u32],
        rows: usize,
        name_of: impl Fn(usize) -> &'a String,
    ) -> Option<usize> {
        match which {
            NameOrId::Id(id) => usize::try_from(*id).ok().filter(|row| *row < rows),
            NameOrId::Name(name) => find(sorted, name, name_of),
        }
    }
}

fn hashed(city: &City, hasher: &RandomState) -> HashTable<u32> {
    let hash_of = |row: &u32| hasher.hash_one(city.cameras[*row as usize].name.as_str());
    let mut table = HashTable::with_capacity(city.cameras.len());
    for row in 0..city.cameras.len() as u32 {
        table.insert_unique(hash_of(&row), row, hash_of);
    }
    table
}

fn by_name<T>(table: &[T], name: impl Fn(&T) -> &String) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..table.len() as u32).collect();
    rows.sort_by(|a, b| name(&table[*a as usize]).cmp(name(&table[*b as usize])));
    rows
}

fn find<'a>(sorted: &[u32], name: &str, name_of: impl Fn(usize) -> &'a String) -> Option<usize> {
    let found = sorted.binary_search_by(|row| name_of(*row as usize).as_str().cmp(name)).ok()?;
    Some(sorted[found] as usize)
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
