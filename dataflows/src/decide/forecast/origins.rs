//! What a series and those near it do now, as forecasts are to see it.

use super::features::{Origin, Outside, share};
use super::neighbours::NEAREST;
use super::series::Series;

/// What is known of a series; `chosen`: whose residuals tell of its next ones, `region`: the region's mean residual.
pub(super) fn origin(all: &[Series], n: usize, chosen: &[u16], region: f32, outside: Outside) -> Origin {
    let series = &all[n];
    let near = chosen.iter().map(|j| &all[usize::from(*j)]).filter(|s| s.observed);
    let (mut origin, mut count) = (Origin { lowest_level: 1.0, ..Origin::default() }, 0.0);
    let mut nearest = (0.0, 0.0, 0.0);
    for other in near {
        let (residual, level) = (other.lags[0].clamp(-4.0, 4.0), share(other.value, other.free));
        if count < NEAREST as f32 {
            nearest = (nearest.0 + residual, nearest.1 + level, nearest.2 + 1.0);
        }
        if count < 5.0 {
            origin.lowest_level = origin.lowest_level.min(level);
        }
        origin.near += residual;
        count += 1.0;
    }
    let level = share(series.value, series.free);
    if count > 0.0 {
        origin.near /= count;
        origin.nearest = nearest.0 / nearest.2;
        origin.nearest_level = nearest.1 / nearest.2;
    } else {
        origin.nearest_level = level;
        origin.lowest_level = level;
    }
    Origin {
        lags: series.lags,
        faded: series.faded,
        region,
        outside,
        level,
        usual_level: share(series.usual.mean, series.free),
        ..origin
    }
}
