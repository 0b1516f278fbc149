//! From GCJ-02, the datum of Chinese maps and telephones, to WGS-84, the only one inside.
//!
//! GCJ-02 moves a place in China by 100 to 700 m with a published series of sines about the Krasovsky ellipsoid. The way
//! back has no formula: it is searched for, each step taking off what the last guess is still wrong by.

use std::f64::consts::PI;

/// Krasovsky 1940: semi-major axis, m, and eccentricity squared.
const AXIS_M: f64 = 6_378_245.0;
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// Steps back: each leaves a thousandth of the error of the one before.
const STEPS: usize = 8;

/// WGS-84 longitude and latitude of a GCJ-02 place, degrees; places outside China are as they are.
pub fn to_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    let mut guess = (lon, lat);
    for _ in 0..STEPS {
        let there = from_wgs84(guess.0, guess.1);
        guess = (guess.0 + lon - there.0, guess.1 + lat - there.1);
    }
    guess
}

/// GCJ-02 longitude and latitude of a WGS-84 place, degrees.
pub fn from_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    if !in_china(lon, lat) {
        return (lon, lat);
    }
    let (east_m, north_m) = shift_m(lon - 105.0, lat - 35.0);
    let rad = lat.to_radians();
    let flat = 1.0 - ECCENTRICITY_2 * rad.sin().powi(2);
    let meridian_m = AXIS_M * (1.0 - ECCENTRICITY_2) / (flat * flat.sqrt());
    let parallel_m = AXIS_M / flat.sqrt() * rad.cos();
    (lon + (east_m / parallel_m).to_degrees(), lat + (north_m / meridian_m).to_degrees())
}

/// The box in which the shift holds.
fn in_china(lon: f64, lat: f64) -> bool {
    (72.004..=137.8347).contains(&lon) && (0.8293..=55.8271).contains(&lat)
}

/// How far a place is moved, m, by its degrees from 105 E, 35 N.
fn shift_m(x: f64, y: f64) -> (f64, f64) {
    let wave = |amplitude: f64, of: f64| amplitude * of.sin();
    let root = x.abs().sqrt();
    let shared = (wave(20.0, 6.0 * x * PI) + wave(20.0, 2.0 * x * PI)) * 2.0 / 3.0;
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + shared
        + (wave(20.0, y * PI) + wave(40.0, y / 3.0 * PI)) * 2.0 / 3.0
        + (wave(160.0, y / 12.0 * PI) + wave(320.0, y * PI / 30.0)) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + shared
        + (wave(20.0, x * PI) + wave(40.0, x / 3.0 * PI)) * 2.0 / 3.0
        + (wave(150.0, x / 12.0 * PI) + wave(300.0, x / 30.0 * PI)) * 2.0 / 3.0;
    (east, north)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places whose shift other implementations agree on: WGS-84, then GCJ-02.
    const KNOWN: [[f64; 4]; 3] = [
        [121.527_210_6, 31.177_427_6, 121.531_541_859_215, 31.175_303_983_645_97],
        [113.912_316, 22.543_847, 113.917_176_480_836_3, 22.540_796_131_694_766],
        [116.377_817, 39.911_954, 116.384_047_224_556_57, 39.913_345_455_360_69],
    ];

    fn close(a: (f64, f64), b: (f64, f64)) -> bool {
        (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6
    }

    #[test]
    fn known_places_go_there_and_back() {
        for [lon, lat, gcj_lon, gcj_lat] in KNOWN {
            assert!(close(from_wgs84(lon, lat), (gcj_lon, gcj_lat)), "{:?}", from_wgs84(lon, lat));
            assert!(close(to_wgs84(gcj_lon, gcj_lat), (lon, lat)), "{:?}", to_wgs84(gcj_lon, gcj_lat));
        }
    }

    #[test]
    fn elsewhere_nothing_is_moved_and_nothing_breaks() {
        assert_eq!(to_wgs84(2.35, 48.85), (2.35, 48.85));
        assert!(to_wgs84(f64::NAN, 1.0).0.is_nan());
    }
}
