//! Places of other cities laid over ours.

use nanming_dataflows::network::{City, Point};

/// Farther from the middle than so many times what is usual a place lies far from the rest.
const FAR: f64 = 10.0;
/// What is usual at least, degrees: about a kilometre, for places that all lie together.
const LEAST_USUAL_DEG: f64 = 0.01;

/// Where most places lie: by longitude and latitude the median, and the median distance from it. Half of the places must
/// be wrong before these are.
pub(super) struct Usual([(f64, f64); 2]);

impl Usual {
    /// Of places in degrees.
    pub(super) fn of(places: impl Iterator<Item = (f64, f64)>) -> Usual {
        let (lons, lats): (Vec<f64>, Vec<f64>) = places.unzip();
        Usual([lons, lats].map(|along| {
            let middle = median(along.clone());
            (middle, median(along.iter().map(|x| (x - middle).abs()).collect()).max(LEAST_USUAL_DEG))
        }))
    }

    /// Whether a place lies near the rest.
    pub(super) fn holds(&self, (lon, lat): (f64, f64)) -> bool {
        self.0.iter().zip([lon, lat]).all(|((middle, usual), x)| (x - middle).abs() <= FAR * usual)
    }
}

/// The middle one, the lower of two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

/// From the box of some places to the box of a network.
pub(super) struct Stretch {
    from: [(f64, f64); 2],
    to: [Point; 2],
}

impl Stretch {
    /// From places in degrees to the nodes of a city.
    pub(super) fn new(city: &City, places: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let span = |pick: fn((f64, f64)) -> f64| {
            places.clone().map(pick).fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)))
        };
        let xs = city.nodes.iter().map(|n| n.at.x_mm);
        let ys = city.nodes.iter().map(|n| n.at.y_mm);
        let low = Point { x_mm: xs.clone().min().unwrap_or(0), y_mm: ys.clone().min().unwrap_or(0) };
        let high = Point { x_mm: xs.max().unwrap_or(0), y_mm: ys.max().unwrap_or(0) };
        Stretch { from: [span(|at| at.0), span(|at| at.1)], to: [low, high] }
    }

    /// The place in the network.
    pub(super) fn place(&self, (lon, lat): (f64, f64)) -> Point {
        let [low, high] = self.to;
        let along = |(a, b): (f64, f64), x: f64| if b > a { (x - a) / (b - a) } else { 0.5 };
        let between = |a: i32, b: i32, share: f64| a + (f64::from(b - a) * share).round() as i32;
        Point {
            x_mm: between(low.x_mm, high.x_mm, along(self.from[0], lon)),
            y_mm: between(low.y_mm, high.y_mm, along(self.from[1], lat)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_far_from_the_rest_is_told_apart() {
        let city = [(106.6, 26.6), (106.7, 26.5), (106.75, 26.65), (106.62, 26.61)];
        let usual = Usual::of(city.into_iter().chain([(0.0, 0.0)]));
        assert!(city.iter().all(|at| usual.holds(*at)));
        assert!(!usual.holds((0.0, 0.0)) && !usual.holds((106.6, -26.6)));
        let together = Usual::of([(106.6, 26.6); 3].into_iter());
        assert!(together.holds((106.65, 26.6)) && !together.holds((107.6, 26.6)));
        assert!(Usual::of(std::iter::empty()).holds((0.0, 0.0)));
    }
}
