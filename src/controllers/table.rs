//! Which controller governs which junction, and by which numbers it calls stages and lamp groups. Knows the city's names and
//! the table that whoever runs the engine wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::{City, Junction, SignalMode};
use serde::Deserialize;

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("table of controllers {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It does not parse.
    #[error("table of controllers {0}: {1}")]
    Toml(PathBuf, toml::de::Error),
    /// A row makes no sense.
    #[error("table of controllers {0}, controller {1}: {2}")]
    Row(PathBuf, usize, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    controller: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    junction: String,
    address: String,
    id: u32,
    #[serde(default = "first")]
    road: u8,
    stages: Option<Vec<u8>>,
    lamp_groups: Option<Vec<u8>>,
    #[serde(default)]
    orders: Takes,
    #[serde(default = "slots")]
    plan_slots: [u8; 2],
}

/// What a controller is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Takes {
    /// Stages.
    #[default]
    Stage,
    /// Plans, and stages while none holds or somebody has priority.
    Plan,
}

fn slots() -> [u8; 2] {
    [31, 32]
}

fn first() -> u8 {
    1
}

/// A junction and its controller.
#[derive(Clone, Debug)]
pub struct Site {
    /// The city.
    pub city: Arc<City>,
    /// The junction.
    pub junction: JunctionId,
    /// Host and port.
    pub address: String,
    /// The controller's number.
    pub controller: u32,
    /// The junction's number there.
    pub road: u8,
    /// By stage of the junction: its number there; 0: it has none.
    pub stages: Vec<u8>,
    /// By head: its lamp group, from 1; 0: it has none.
    pub lamp_groups: Vec<u8>,
    /// The two numbers in its table of plans that are the engine's; none: it is ordered stages only.
    pub plan_slots: Option<[u8; 2]>,
}

impl Site {
    /// What the city says of the junction.
    pub fn of(&self) -> &Junction {
        &self.city.junctions[self.junction.index()]
    }

    /// The number there of a stage.
    pub fn number(&self, stage: u16) -> Option<u8> {
        self.stages.get(usize::from(stage)).copied().filter(|number| *number != 0)
    }

    /// The stage with a number there.
    pub fn stage(&self, number: u8) -> Option<u16> {
        let row = self.stages.iter().position(|known| *known == number && number != 0);
        row.map(|row| row as u16)
    }
}

/// All controllers.
#[derive(Clone, Debug, Default)]
pub struct Table(pub Vec<Site>);

impl Table {
    /// Reads a table of `[[controller]]` rows.
    pub fn load(city: &Arc<City>, path: &Path) -> Result<Table, TableError> {
        let text = std::fs::read_to_string(path).map_err(|error| TableError::File(path.into(), error))?;
        let file: File = toml::from_str(&text).map_err(|error| TableError::Toml(path.into(), error))?;
        let mut sites: Vec<Site> = Vec::new();
        for (row, read) in file.controller.into_iter().enumerate() {
            let wrong = |why: String| TableError::Row(path.into(), row + 1, why);
            let site = site(city, read).map_err(wrong)?;
            if sites.iter().any(|other| other.junction == site.junction) {
                return Err(wrong(format!("junction '{}' has a controller already", site.of().name)));
            }
            sites.push(site);
        }
        Ok(Table(sites))
    }
}

fn site(city: &Arc<City>, row: Row) -> Result<Site, String> {
    let Row { junction: name, address, id, road, stages, lamp_groups, orders, plan_slots } = row;
    let junction = city.junctions.iter().find(|junction| junction.name == name);
    let junction = junction.ok_or_else(|| format!("the city has no junction '{name}'"))?;
    let port = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    if port.is_none_or(|(host, port)| host.is_empty() || port == 0) {
        return Err(format!("'{address}' is no address: write host:port, such as 10.20.0.17:5435"));
    }
    let numbers = |what: &str, given: Option<Vec<u8>>, wanted: usize| {
        let numbers = given.unwrap_or_else(|| (1..=u8::MAX).take(wanted).collect());
        if numbers.len() != wanted {
            return Err(format!("{what} must have {wanted} numbers, one for each of '{name}'; 0 where there is none"));
        }
        let used: Vec<u8> = numbers.iter().copied().filter(|number| *number != 0).collect();
        let distinct: std::collections::BTreeSet<u8> = used.iter().copied().collect();
        let is_one_to_one = distinct.len() == used.len();
        if is_one_to_one { Ok(numbers) } else { Err(format!("{what} has a number twice")) }
    };
    let stages = numbers("stages", stages, junction.stages.len())?;
    let lamp_groups = numbers("lamp_groups", lamp_groups, junction.heads.len())?;
    let plan_slots = match orders {
        Takes::Stage => None,
        Takes::Plan => Some(checked(junction, plan_slots)?),
    };
    let (city, junction) = (Arc::clone(city), junction.id);
    Ok(Site { city, junction, address, controller: id, road, stages, lamp_groups, plan_slots })
}

fn checked(junction: &Junction, slots: [u8; 2]) -> Result<[u8; 2], String> {
    let name = &junction.name;
    if junction.mode != SignalMode::Plan {
        return Err(format!("orders = \"plan\" needs junction '{name}' in plan mode (signals.plan)"));
    }
    let plans = junction.plans.len();
    if slots[0] == slots[1] || slots.iter().any(|slot| usize::from(*slot) <= plans) {
        return Err(format!("plan_slots must be two numbers above those of its {plans} local plans"));
    }
    Ok(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Table, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let named = text.replace("JUNCTION", &city.junctions[1].name);
        std::fs::write(file.path(), named).unwrap();
        Table::load(&city, file.path()).map_err(|error| error.to_string())
    }

    const ROW: &str = "[[controller]]\njunction = \"JUNCTION\"\naddress = \"10.20.0.17:5435\"\nid = 17\n";

    #[test]
    fn numbers_begin_at_one_where_none_are_given() {
        let Table(sites) = load(ROW).unwrap();
        let site = &sites[0];
        assert_eq!((site.junction, site.controller, site.road), (JunctionId(1), 17, 1));
        assert_eq!((site.number(0), site.stage(1), site.stage(0), site.stage(99)), (Some(1), Some(0), None, None));
        assert_eq!(site.lamp_groups.len(), site.of().heads.len());
    }

    #[test]
    fn a_row_that_makes_no_sense_is_told_with_its_number() {
        for (row, told) in [
            (ROW.replace("JUNCTION", "nowhere"), "no junction 'nowhere'"),
            (ROW.replace(":5435", ""), "host:port"),
            (format!("{ROW}stages = [1]\n"), "stages must have"),
            (format!("{ROW}phases = 4\n"), "phases"),
            (format!("{ROW}orders = \"plan\"\n"), "in plan mode (signals.plan)"),
            (format!("{ROW}{ROW}"), "controller 2: junction"),
            ("[[controller]]\n".into(), "junction"),
        ] {
            let error = load(&row).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
