//! Which camera of the city a device, a tollgate and a lane stand for. Knows the city's names and the table that whoever
//! runs the engine wrote, and nothing of what was seen.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanming_dataflows::network::City;
use serde::Deserialize;

use super::{Checkpoint, is_device_id};

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("table of cameras {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It does not parse.
    #[error("table of cameras {0}: {1}")]
    Toml(PathBuf, toml::de::Error),
    /// A row makes no sense.
    #[error("table of cameras {0}, camera {1}: {2}")]
    Row(PathBuf, usize, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    camera: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    device: Option<String>,
    tollgate: Option<String>,
    lane: Option<u32>,
    camera: String,
}

/// A device or a tollgate, and perhaps one lane of it.
type Place = (String, Option<u32>);

/// The rules, in the order in which they are asked.
pub struct CameraTable {
    city: Arc<City>,
    devices: HashMap<Place, String>,
    tollgates: HashMap<Place, String>,
    serial_area: Option<String>,
}

impl CameraTable {
    /// Only the rules that need no table.
    pub fn plain(city: Arc<City>, serial_area: Option<String>) -> CameraTable {
        CameraTable { city, devices: HashMap::new(), tollgates: HashMap::new(), serial_area }
    }

    /// With a table of `[[camera]]` rows.
    pub fn load(city: Arc<City>, serial_area: Option<String>, path: &Path) -> Result<CameraTable, TableError> {
        let text = std::fs::read_to_string(path).map_err(|error| TableError::File(path.into(), error))?;
        let file: File = toml::from_str(&text).map_err(|error| TableError::Toml(path.into(), error))?;
        let known: std::collections::HashSet<&str> = city.cameras.iter().map(|c| c.name.as_str()).collect();
        let mut table = CameraTable::plain(Arc::clone(&city), serial_area);
        for (row, Row { device, tollgate, lane, camera }) in file.camera.into_iter().enumerate() {
            let wrong = |why: String| TableError::Row(path.into(), row + 1, why);
            if !known.contains(camera.as_str()) {
                return Err(wrong(format!("the city has no camera '{camera}'")));
            }
            let (rules, place) = match (device, tollgate) {
                (Some(device), None) => (&mut table.devices, (device, lane)),
                (None, Some(tollgate)) => (&mut table.tollgates, (tollgate, lane)),
                _ => return Err(wrong("it needs one of device and tollgate".into())),
            };
            if rules.insert(place, camera).is_some() {
                return Err(wrong("an earlier row stands for the same device or tollgate and lane".into()));
            }
        }
        Ok(table)
    }

    /// The name of the camera: by device and lane, by tollgate and lane, by device, by tollgate, by number, or else the
    /// device's own ID.
    pub fn name<'a>(&'a self, seen: &'a Checkpoint) -> &'a str {
        let lanes = seen.lane.map(Some).into_iter().chain([None]);
        let found = lanes.into_iter().find_map(|lane| {
            let at = |rules: &'a HashMap<Place, String>, id: &str| rules.get(&(id.to_owned(), lane));
            at(&self.devices, &seen.device).or_else(|| at(&self.tollgates, &seen.tollgate))
        });
        found.map(String::as_str).or_else(|| self.by_serial(&seen.device)).unwrap_or(&seen.device)
    }

    fn by_serial(&self, device: &str) -> Option<&str> {
        let area = self.serial_area.as_deref()?;
        let is_camera = is_device_id(device) && matches!(&device[10..13], "131" | "132");
        let row: usize = device.get(14..).filter(|_| is_camera && device.starts_with(area))?.parse().ok()?;
        self.city.cameras.get(row).map(|camera| camera.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city() -> Arc<City> {
        Arc::new(nanming_simulators::town::small(2, 2, 1))
    }

    fn load(text: &str) -> Result<CameraTable, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        CameraTable::load(city(), None, file.path()).map_err(|error| error.to_string())
    }

    fn at(device: &str, tollgate: &str, lane: Option<u32>) -> Checkpoint {
        Checkpoint { device: device.into(), tollgate: tollgate.into(), lane }
    }

    #[test]
    fn the_narrowest_row_wins_and_without_one_the_id_is_the_name() {
        let city = city();
        let name = |row: usize| city.cameras[row].name.as_str();
        let rows = [
            ("device", "D", "lane = 2\n"),
            ("device", "D", ""),
            ("tollgate", "T", "lane = 1\n"),
            ("tollgate", "T", ""),
        ];
        let row = |(n, (what, id, lane)): (usize, &(&str, &str, &str))| {
            format!("[[camera]]\n{what} = \"{id}\"\n{lane}camera = \"{}\"\n", name(n))
        };
        let table = load(&rows.iter().enumerate().map(row).collect::<String>()).unwrap();
        assert_eq!(table.name(&at("D", "T", Some(2))), name(0));
        assert_eq!(table.name(&at("D", "T", Some(1))), name(2), "a lane of a tollgate before all of a device");
        assert_eq!(table.name(&at("D", "T", Some(3))), name(1));
        assert_eq!(table.name(&at("D", "T", None)), name(1));
        assert_eq!(table.name(&at("E", "T", Some(9))), name(3));
        assert_eq!(table.name(&at("E", "", None)), "E");
    }

    #[test]
    fn a_number_is_read_only_where_it_is_asked_for() {
        let (city, device) = (city(), "52010500001320000017");
        assert_eq!(CameraTable::plain(Arc::clone(&city), None).name(&at(device, "", None)), device);
        let table = CameraTable::plain(Arc::clone(&city), Some("5201".into()));
        assert_eq!(table.name(&at(device, "", None)), city.cameras[17].name);
        for other in ["52020500001320000017", "52010500001180000017", "52010500001320999999", "5201", "贵贵贵贵贵贵132"]
        {
            assert_eq!(table.name(&at(other, "", None)), other);
        }
    }

    #[test]
    fn a_table_that_makes_no_sense_says_where() {
        let camera = &city().cameras[0].name;
        for (text, why) in [
            ("[[camera]]\ndevice = \"D\"\ncamera = \"nowhere\"\n".to_owned(), "camera 1: the city has no camera"),
            (format!("[[camera]]\ncamera = \"{camera}\"\n"), "one of device and tollgate"),
            (format!("[[camera]]\ndevice = \"D\"\nlanes = 1\ncamera = \"{camera}\"\n"), "lanes"),
            (format!("[[camera]]\ndevice = \"D\"\ncamera = \"{camera}\"\n").repeat(2), "camera 2: an earlier row"),
        ] {
            let error = load(&text).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
        assert!(CameraTable::load(city(), None, Path::new("/no/such/file")).is_err());
    }
}
