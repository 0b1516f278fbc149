//! Where on a line's route a bus is.

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::{City, Point};

/// Farther from its route than this a fix is not the bus's, mm.
const ROUTE_MARGIN_MM: u64 = 200_000;

/// The link of `route` nearest to `at` and the distance from its start, mm; none when all are too far.
pub(super) fn on_route(city: &City, route: &[LinkId], at: Point) -> Option<(LinkId, u32)> {
    let nearest = route.iter().map(|id| {
        let (off_mm, along_mm) = project(&city.links[id.index()].shape, at);
        (off_mm, *id, along_mm)
    });
    let (off_mm, link, along_mm) = nearest.min()?;
    let along_mm = u32::try_from(along_mm).unwrap_or(u32::MAX).min(city.links[link.index()].length_mm);
    (off_mm <= ROUTE_MARGIN_MM).then_some((link, along_mm))
}

/// How far `at` is from a course, and how far along it the nearest point lies, mm.
fn project(course: &[Point], at: Point) -> (u64, u64) {
    let mut best = (u64::MAX, 0);
    let mut before_mm = 0;
    for leg in course.windows(2) {
        let share = share_along(leg[0], leg[1], at);
        let foot = between(leg[0], leg[1], share);
        best = best.min((at.distance_mm(foot), before_mm + leg[0].distance_mm(foot)));
        before_mm += leg[0].distance_mm(leg[1]);
    }
    best
}

fn share_along(from: Point, to: Point, at: Point) -> f64 {
    let d = |a: i32, b: i32| f64::from(b) - f64::from(a);
    let (dx, dy) = (d(from.x_mm, to.x_mm), d(from.y_mm, to.y_mm));
    let length = dx * dx + dy * dy;
    if length == 0.0 {
        0.0
    } else {
        ((d(from.x_mm, at.x_mm) * dx + d(from.y_mm, at.y_mm) * dy) / length).clamp(0.0, 1.0)
    }
}

fn between(from: Point, to: Point, share: f64) -> Point {
    let mix = |a: i32, b: i32| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as i32;
    Point { x_mm: mix(from.x_mm, to.x_mm), y_mm: mix(from.y_mm, to.y_mm) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_beside_a_course_is_projected_onto_it() {
        let p = |x_mm, y_mm| Point { x_mm, y_mm };
        let course = [p(0, 0), p(10_000, 0), p(10_000, 10_000)];
        assert_eq!(project(&course, p(4_000, 3_000)), (3_000, 4_000));
        assert_eq!(project(&course, p(12_000, 5_000)), (2_000, 15_000));
        assert_eq!(project(&course, p(-3_000, -4_000)), (5_000, 0));
    }
}
