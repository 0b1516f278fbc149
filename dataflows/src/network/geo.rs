//! Places: a local plane in mm, and WGS-84 at the edges.

use serde::{Deserialize, Serialize};

/// A place in mm east (x) and north (y) of the city's origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// East, mm.
    pub x_mm: i32,
    /// North, mm.
    pub y_mm: i32,
}

/// A WGS-84 place, in 1e-7 degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LonLat {
    /// Longitude, 1e-7 degrees east.
    pub lon_e7: i32,
    /// Latitude, 1e-7 degrees north.
    pub lat_e7: i32,
}

/// Mean Earth radius (IUGG), mm.
const EARTH_MM: f64 = 6_371_008_771.4;

impl Point {
    /// Distance in a straight line, mm.
    pub fn distance_mm(self, other: Point) -> u64 {
        let dx = i64::from(self.x_mm) - i64::from(other.x_mm);
        let dy = i64::from(self.y_mm) - i64::from(other.y_mm);
        ((dx * dx + dy * dy) as u64).isqrt()
    }

    /// The WGS-84 place: equirectangular about `origin`, good to a metre within 50 km.
    pub fn to_lon_lat(self, origin: LonLat) -> LonLat {
        let (lon_mm_rad, lat_mm_rad) = mm_per_rad(origin);
        LonLat {
            lon_e7: origin.lon_e7 + e7(f64::from(self.x_mm) / lon_mm_rad),
            lat_e7: origin.lat_e7 + e7(f64::from(self.y_mm) / lat_mm_rad),
        }
    }
}

impl LonLat {
    /// From degrees.
    pub fn from_degrees(lon: f64, lat: f64) -> Self {
        LonLat { lon_e7: (lon * 1e7).round() as i32, lat_e7: (lat * 1e7).round() as i32 }
    }
    /// Longitude and latitude in degrees.
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.lon_e7) / 1e7, f64::from(self.lat_e7) / 1e7)
    }
    /// The place on the local plane about `origin`: the inverse of [`Point::to_lon_lat`]. Saturates far from the origin.
    pub fn to_point(self, origin: LonLat) -> Point {
        let (lon_mm_rad, lat_mm_rad) = mm_per_rad(origin);
        let rad = |a: i32, b: i32| ((f64::from(a) - f64::from(b)) / 1e7).to_radians();
        Point {
            x_mm: (rad(self.lon_e7, origin.lon_e7) * lon_mm_rad).round() as i32,
            y_mm: (rad(self.lat_e7, origin.lat_e7) * lat_mm_rad).round() as i32,
        }
    }
}

fn mm_per_rad(origin: LonLat) -> (f64, f64) {
    (EARTH_MM * (f64::from(origin.lat_e7) / 1e7).to_radians().cos(), EARTH_MM)
}

fn e7(rad: f64) -> i32 {
    (rad.to_degrees() * 1e7).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_goes_out_to_wgs84_and_back() {
        let origin = LonLat::from_degrees(106.63, 26.65);
        for p in [Point::default(), Point { x_mm: 12_345_678, y_mm: -9_876_543 }] {
            let back = p.to_lon_lat(origin).to_point(origin);
            assert!(p.distance_mm(back) < 20, "{p:?} {back:?}");
        }
    }

    #[test]
    fn distance_is_euclidean() {
        assert_eq!(Point { x_mm: 0, y_mm: 0 }.distance_mm(Point { x_mm: 3000, y_mm: -4000 }), 5000);
    }
}
