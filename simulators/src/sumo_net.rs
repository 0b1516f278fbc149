//! Reads a SUMO network (`.net.xml`) as a [`City`].
//!
//! What becomes what: an edge for traffic is a link; a `tlLogic` is a junction, however many nodes it governs; a
//! character of its state string is a head; a phase that shows green and no yellow is a stage; a program is a plan.
//! Every motor lane gets a stop-line camera that has the lane's name.
//!
//! # Who gives way
//!
//! The `<request>` rows of a node tell which ways meet (`foes`) and which must wait for which (`response`). They are not
//! enough, and not always right, because in SUMO the light overrules them: a vehicle that sees `G` enters without looking
//! at its row, and only `g` and `s` look (`MSLink::opened`). On the four nets that we compare signal control on
//! (RESCO: cologne1, cologne3, ingolstadt7, grid4x4) this shows:
//!
//! - cologne1, cologne3: wherever two foes are green together, one is `g` and its row says that it waits. No exception.
//! - grid4x4: right turns on red (`s`) run beside protected left turns into the same edge (`G`), and beside crossing
//!   through traffic (`G`). For the former only the *left* turn's row says that it waits (right before left), for the
//!   latter both rows do. The light decides: `s` gives way. 108 such pairs of heads and stages at each of 16 junctions.
//! - ingolstadt7: at `gneJ210` heads 6 and 8, and 7 and 9, are foes and both `G`. All four are left turns of one
//!   approach, from two lanes into the same two lanes: a merge beside each other, not a crossing. Any two heads of one
//!   approach are therefore free of conflict here.
//! - no net lets two crossing streams of different approaches go as `G` both.
//!
//! Hence the rule: foes from different approaches that no stage of the map lets go together are [`Conflict::Hard`], the
//! engine is not to be bolder than the map. Of foes that a stage does let go together, the one that shows `g` or `s`
//! beside a `G` gives way; where the lights do not tell, the one whose row says so. Stages that are at odds with the
//! outcome are repaired, see [`Import::warnings`].
//!
//! [`Conflict::Hard`]: nanming_dataflows::network::Conflict::Hard

use nanming_dataflows::ids::DistrictId;
use nanming_dataflows::network::{City, CityError, District, LonLat};
use roxmltree::{Document, Node as Element};

mod attributes;
mod conflicts;
mod detectors;
mod equipment;
mod junctions;
mod links;
mod pedestrians;
mod place;
mod programs;
mod requests;

pub use detectors::{with_dense_cameras, with_detectors, without_ways_back};
pub use equipment::with_units;
pub use pedestrians::{with_all_red, with_pedestrians};

/// A network that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The city; it passes [`City::check`].
    pub city: City,
    /// What was left out or repaired, for people.
    pub warnings: Vec<String>,
}

/// Why a network cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is not XML.
    #[error("not XML: {0}")]
    Xml(#[from] roxmltree::Error),
    /// The text is XML, but not a SUMO network.
    #[error("not a SUMO network: its root is <{0}>, not <net>")]
    Root(String),
    /// Something that must be there is not.
    #[error("{at}: {what} is missing")]
    Missing {
        /// The element, with its line.
        at: String,
        /// The attribute or element.
        what: String,
    },
    /// An attribute does not read.
    #[error("{at}: {name}=\"{value}\" is not {expected}")]
    Value {
        /// The element, with its line.
        at: String,
        /// The attribute.
        name: String,
        /// What stands there.
        value: String,
        /// What should.
        expected: String,
    },
    /// Something refers to what is not there.
    #[error("{at}: there is no {what}")]
    Unknown {
        /// The element, with its line.
        at: String,
        /// What it refers to.
        what: String,
    },
    /// The projection is not understood.
    #[error("projection \"{0}\": {1}")]
    Projection(String, String),
    /// The city that came out does not hang together.
    #[error("the network does not hang together: {0}")]
    City(#[from] CityError),
}

/// Reads a network; `name` becomes the city's name.
///
/// # Errors
/// Those of [`ImportError`], each naming the element and its line.
pub fn read(xml: &str, name: &str) -> Result<Import, ImportError> {
    read_with(xml, &[], name)
}

/// The same with SUMO's additional files in the order in which it loads them: a `tlLogic` there is one more program, and the
/// last one of a light is its first plan, as it is the one that SUMO plays.
///
/// # Errors
/// Those of [`ImportError`].
pub fn read_with(xml: &str, additional: &[String], name: &str) -> Result<Import, ImportError> {
    let document = parse(xml)?;
    let net = document.root_element();
    if net.tag_name().name() != "net" {
        return Err(ImportError::Root(net.tag_name().name().to_string()));
    }
    let frame = place::Frame::read(net)?;
    let mut city = City { name: name.to_string(), origin: frame.origin(), ..City::default() };
    city.districts.push(District { id: DistrictId(0), name: name.to_string(), name_en: name.to_string() });
    // Most of them have no programs, and some are large.
    let have_programs = additional.iter().filter(|xml| xml.contains("<tlLogic"));
    let additional = have_programs.map(|xml| parse(xml)).collect::<Result<Vec<Document<'_>>, _>>()?;
    let sources: Vec<Element<'_, '_>> = additional.iter().rev().map(Document::root_element).chain([net]).collect();
    let mut warnings = Vec::new();
    let names = links::lay(&mut city, net, &frame)?;
    let connections = links::connect(&mut city, net, &names)?;
    junctions::signalise(&mut city, &sources, &names, &connections, &mut warnings)?;
    equipment::place(&mut city);
    city.check()?;
    Ok(Import { city, warnings })
}

/// Files of other tools often carry a byte-order mark.
fn parse(xml: &str) -> Result<Document<'_>, ImportError> {
    Ok(Document::parse(xml.trim_start_matches('\u{feff}'))?)
}

/// Where a network without projection lies: nowhere in particular.
const NOWHERE: LonLat = LonLat { lon_e7: 0, lat_e7: 0 };

#[cfg(test)]
mod tests;
