//! From a network's metres to WGS-84 and the city's local plane.

use nanming_dataflows::network::{LonLat, Point};
use proj4rs::Proj;
use proj4rs::transform::transform;
use roxmltree::Node;

use super::attributes::{children, describe, text, wrong};
use super::{ImportError, NOWHERE};

/// Where a network lies.
pub(super) struct Frame {
    /// The middle of the network, m in its own coordinates.
    middle_m: (f64, f64),
    earth: Option<Earth>,
}

/// How a projected network lies on Earth.
struct Earth {
    offset_m: (f64, f64),
    projection: Proj,
    wgs84: Proj,
    text: String,
    origin: LonLat,
}

impl Frame {
    /// Reads `<location>`.
    pub(super) fn read(net: Node<'_, '_>) -> Result<Frame, ImportError> {
        let missing = || ImportError::Missing { at: describe(net), what: "element location".into() };
        let location = children(net, "location").next().ok_or_else(missing)?;
        let [west, south, east, north] = numbers(location, "convBoundary")?;
        let middle_m = ((west + east) / 2.0, (south + north) / 2.0);
        let projection = text(location, "projParameter")?;
        let earth = match projection {
            "!" | "-" | "" => None,
            text => Some(Earth::new(text, numbers(location, "netOffset")?, middle_m)?),
        };
        Ok(Frame { middle_m, earth })
    }

    /// The place on Earth of the local point (0, 0).
    pub(super) fn origin(&self) -> LonLat {
        self.earth.as_ref().map_or(NOWHERE, |e| e.origin)
    }

    /// A place in the network's metres on the local plane.
    pub(super) fn point(&self, at_m: (f64, f64)) -> Result<Point, ImportError> {
        match &self.earth {
            Some(earth) => Ok(earth.lon_lat(at_m)?.to_point(earth.origin)),
            None => Ok(Point { x_mm: mm(at_m.0 - self.middle_m.0), y_mm: mm(at_m.1 - self.middle_m.1) }),
        }
    }
}

impl Earth {
    fn new(text: &str, [x, y]: [f64; 2], middle_m: (f64, f64)) -> Result<Earth, ImportError> {
        let projection =
            |s: &str| Proj::from_proj_string(s).map_err(|e| ImportError::Projection(s.into(), e.to_string()));
        let mut earth = Earth {
            offset_m: (x, y),
            projection: projection(text)?,
            wgs84: projection("+proj=longlat +ellps=WGS84 +datum=WGS84 +no_defs")?,
            text: text.to_string(),
            origin: NOWHERE,
        };
        earth.origin = earth.lon_lat(middle_m)?;
        Ok(earth)
    }

    fn lon_lat(&self, at_m: (f64, f64)) -> Result<LonLat, ImportError> {
        let mut at = (at_m.0 - self.offset_m.0, at_m.1 - self.offset_m.1, 0.0);
        if self.projection.is_latlong() {
            return Ok(LonLat::from_degrees(at.0, at.1));
        }
        let failed = |e: proj4rs::errors::Error| ImportError::Projection(self.text.clone(), e.to_string());
        transform(&self.projection, &self.wgs84, &mut at).map_err(failed)?;
        Ok(LonLat::from_degrees(at.0.to_degrees(), at.1.to_degrees()))
    }
}

fn mm(metres: f64) -> i32 {
    (metres * 1000.0).round() as i32
}

/// An attribute with numbers between commas.
fn numbers<const N: usize>(node: Node<'_, '_>, name: &str) -> Result<[f64; N], ImportError> {
    let value = text(node, name)?;
    let read: Option<Vec<f64>> =
        value.split(',').map(|n| n.trim().parse().ok().filter(|n: &f64| n.is_finite())).collect();
    let array = read.and_then(|r| <[f64; N]>::try_from(r).ok());
    array.ok_or_else(|| wrong(node, name, value, &format!("{N} numbers between commas")))
}
