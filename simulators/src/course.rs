//! Courses: lines of places that a street follows. Lengths, bearings, places along, lines beside.
//!
//! Knows nothing about links or cities.

use nanming_dataflows::network::Point;

/// Length of a course, mm.
pub(crate) fn length_mm(course: &[Point]) -> u64 {
    course.windows(2).map(|w| w[0].distance_mm(w[1])).sum()
}

/// The place on the way from `a` to `b` at a share of it; beyond the ends for shares outside 0..=1.
pub(crate) fn between(a: Point, b: Point, share: f64) -> Point {
    let mix = |a: i32, b: i32| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as i32;
    Point { x_mm: mix(a.x_mm, b.x_mm), y_mm: mix(a.y_mm, b.y_mm) }
}

/// The place on a course at a distance from its start, mm; its ends beyond them.
pub(crate) fn place_at(course: &[Point], distance_mm: u64) -> Point {
    let mut left_mm = distance_mm;
    for w in course.windows(2) {
        let piece_mm = w[0].distance_mm(w[1]);
        if left_mm < piece_mm {
            return between(w[0], w[1], left_mm as f64 / piece_mm as f64);
        }
        left_mm -= piece_mm;
    }
    course.last().copied().unwrap_or_default()
}

/// Compass bearing from `a` to `b`, degrees from north, clockwise, 0..360.
pub(crate) fn bearing_deg(a: Point, b: Point) -> f64 {
    let east = f64::from(b.x_mm) - f64::from(a.x_mm);
    let north = f64::from(b.y_mm) - f64::from(a.y_mm);
    east.atan2(north).to_degrees().rem_euclid(360.0)
}

/// Bearing at the start of a course, degrees.
pub(crate) fn start_bearing_deg(course: &[Point]) -> f64 {
    bearing_deg(course[0], course[1])
}

/// Bearing at the end of a course, degrees.
pub(crate) fn end_bearing_deg(course: &[Point]) -> f64 {
    bearing_deg(course[course.len() - 2], course[course.len() - 1])
}

/// How far `to` is turned from `from`, degrees: negative to the left, -180..180.
pub(crate) fn turn_deg(from_deg: f64, to_deg: f64) -> f64 {
    (to_deg - from_deg + 180.0).rem_euclid(360.0) - 180.0
}

/// A place moved to the right-hand side of a bearing.
pub(crate) fn beside(at: Point, bearing_deg: f64, right_mm: f64) -> Point {
    let (sin, cos) = bearing_deg.to_radians().sin_cos();
    Point { x_mm: at.x_mm + (cos * right_mm).round() as i32, y_mm: at.y_mm - (sin * right_mm).round() as i32 }
}

/// The line that runs beside a course, on its right-hand side.
pub(crate) fn line_beside(course: &[Point], right_mm: f64) -> Vec<Point> {
    let last = course.len() - 1;
    let bearing_at = |i: usize| match i {
        0 => start_bearing_deg(course),
        i if i == last => end_bearing_deg(course),
        i => bearing_deg(course[i - 1], course[i + 1]),
    };
    course.iter().enumerate().map(|(i, at)| beside(*at, bearing_at(i), right_mm)).collect()
}

/// A course without its first and last `trim_mm`, but with at least a third of each end segment.
pub(crate) fn trimmed(course: &[Point], trim_mm: u64) -> Vec<Point> {
    let mut line = course.to_vec();
    let last = line.len() - 1;
    line[0] = cut(course[0], course[1], trim_mm);
    line[last] = cut(course[last], course[last - 1], trim_mm);
    line
}

fn cut(end: Point, next: Point, trim_mm: u64) -> Point {
    let share = trim_mm as f64 / end.distance_mm(next).max(1) as f64;
    between(end, next, share.min(1.0 / 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(x_mm: i32, y_mm: i32) -> Point {
        Point { x_mm, y_mm }
    }

    #[test]
    fn bearings_count_from_north_clockwise() {
        let north_then_east = [at(0, 0), at(0, 1000), at(1000, 1000)];
        assert_eq!(start_bearing_deg(&north_then_east), 0.0);
        assert_eq!(end_bearing_deg(&north_then_east), 90.0);
        assert_eq!(turn_deg(0.0, 90.0), 90.0);
        assert_eq!(turn_deg(90.0, 0.0), -90.0);
        assert_eq!(turn_deg(350.0, 10.0), 20.0);
    }

    #[test]
    fn places_follow_the_course() {
        let bent = [at(0, 0), at(0, 1000), at(1000, 1000)];
        assert_eq!(length_mm(&bent), 2000);
        assert_eq!(place_at(&bent, 1500), at(500, 1000));
        assert_eq!(place_at(&bent, 9000), at(1000, 1000));
        assert_eq!(line_beside(&bent[..2], 10.0), [at(10, 0), at(10, 1000)]);
        assert_eq!(trimmed(&bent, 100), [at(0, 100), at(0, 1000), at(900, 1000)]);
    }
}
