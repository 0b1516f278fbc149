//! From the names that the outside uses to the city's IDs.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::ids::{BusLineId, CameraId, DistrictId, JunctionId, SiteId, UnitId, VenueId};
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
    venues: Table,
    districts: Table,
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
            venues: Table::new(city.venues.iter().map(|v| v.name.as_str())),
            districts: Table::new(city.districts.iter().map(|d| d.name.as_str())),
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

    /// A venue.
    pub fn venue(&self, which: &NameOrId) -> Result<VenueId, Unfit> {
        let row = self.venues.row(which);
        row.map(VenueId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "venue", which))
    }

    /// A district.
    pub fn district(&self, which: &NameOrId) -> Result<DistrictId, Unfit> {
        let row = self.districts.row(which);
        row.map(DistrictId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "district", which))
    }

    /// A bus line.
    pub fn bus_line(&self, which: &NameOrId) -> Result<BusLineId, Unfit> {
        let row = self.bus_lines.row(which);
        row.map(BusLineId::from_index).ok_or_else(|| unknown(Reason::UnknownName, "bus line", which))
    }
}

/// Names with their rows. What is short, as device IDs are, lies in the table itself: to look one up is one wait for memory.
#[derive(Clone, Debug)]
struct Table {
    hasher: RandomState,
    entries: HashTable<Entry>,
}

/// Most bytes of a short name: with the rest of its entry they make half a cache line.
const SHORT: usize = 23;

#[derive(Clone, Debug)]
enum Entry {
    Short { row: u32, length: u8, bytes: [u8; SHORT] },
    Long { row: u32, name: Box<[u8]> },
}

impl Entry {
    fn new(row: u32, name: &[u8]) -> Entry {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..name.len()) {
            Some(own) => {
                own.copy_from_slice(name);
                Entry::Short { row, length: name.len() as u8, bytes }
            }
            None => Entry::Long { row, name: name.into() },
        }
    }

    fn row(&self) -> u32 {
        match self {
            Entry::Short { row, .. } | Entry::Long { row, .. } => *row,
        }
    }

    fn name(&self) -> &[u8] {
        match self {
            Entry::Short { length, bytes, .. } => &bytes[..usize::from(*length)],
            Entry::Long { name, .. } => name,
        }
    }
}

impl Table {
    fn new<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Table {
        let (hasher, mut entries) = (RandomState::new(), HashTable::with_capacity(names.len()));
        let hash = |entry: &Entry| hasher.hash_one(entry.name());
        for (row, name) in names.enumerate() {
            let entry = Entry::new(row as u32, name.as_bytes());
            entries.insert_unique(hash(&entry), entry, hash);
        }
        Table { hasher, entries }
    }

    fn row(&self, which: &NameOrId) -> Option<usize> {
        match which {
            NameOrId::Id(id) => usize::try_from(*id).ok().filter(|row| *row < self.entries.len()),
            NameOrId::Name(name) => self.find(name),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let name = name.as_bytes();
        let found = self.entries.find(self.hasher.hash_one(name), |entry| entry.name() == name);
        found.map(|entry| entry.row() as usize)
    }
}

fn unknown(reason: Reason, what: &str, name: impl std::fmt::Display) -> Unfit {
    Unfit::new(reason, format!("the city has no {what} '{name}'"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn long_names_are_found_as_short_ones_are() {
        let names =
            ["", "a", "52010000011320000001", "exactly twenty-three by", "a name that is too long for its entry"];
        let table = Table::new(names.into_iter());
        (0..names.len()).for_each(|row| assert_eq!(table.find(names[row]), Some(row)));
        assert_eq!(table.find("a name that is too long for its entr"), None);
        assert_eq!(std::mem::size_of::<Entry>(), 32);
    }

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
