//! Where a place meets the streets: the nearest point of the nearest arc, and of the arc the other way.

use std::collections::BTreeMap;

use super::{END_65536, On, Place, Way};
use crate::network::Point;

/// Cells in which lines are looked up, mm.
const CELL_MM: i32 = 250_000;

/// The courses of arcs.
pub struct Access {
    off_road_mm_ms: u32,
    courses: Vec<Course>,
    lines: Vec<Line>,
    /// Lines that may touch each cell.
    cells: BTreeMap<(i32, i32), Vec<u32>>,
    /// The cells furthest to the south-west and to the north-east.
    corners: [(i32, i32); 2],
    /// Courses by the nodes that they join.
    by_ends: BTreeMap<(u32, u32), Vec<u32>>,
}

/// The course of an arc.
struct Course {
    arc: u32,
    ends: (u32, u32),
    length_mm: u64,
    lines: std::ops::Range<usize>,
}

/// A straight part of a course.
struct Line {
    course: u32,
    from: Point,
    to: Point,
    /// Along the course to where it begins.
    start_mm: u64,
}

/// The point of a line nearest to a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    distance_mm: u64,
    course: u32,
    along_mm: u64,
}

impl Access {
    /// For arcs, the nodes that each joins and its course, at least two points; and the speed off the road, mm/ms.
    pub fn new<'a>(arcs: impl IntoIterator<Item = (u32, (u32, u32), &'a [Point])>, off_road_mm_ms: u32) -> Self {
        let mut access = Access {
            off_road_mm_ms: off_road_mm_ms.max(1),
            courses: Vec::new(),
            lines: Vec::new(),
            cells: BTreeMap::new(),
            corners: Default::default(),
            by_ends: BTreeMap::new(),
        };
        arcs.into_iter().for_each(|(arc, ends, course)| access.add(arc, ends, course));
        let span = |of: fn(&(i32, i32)) -> i32| {
            let all = access.cells.keys().map(of);
            (all.clone().min().unwrap_or(0), all.max().unwrap_or(0))
        };
        let ((west, east), (south, north)) = (span(|c| c.0), span(|c| c.1));
        access.corners = [(west, south), (east, north)];
        access
    }

    fn add(&mut self, arc: u32, ends: (u32, u32), points: &[Point]) {
        let (course, first) = (self.courses.len() as u32, self.lines.len());
        let mut length_mm = 0;
        for pair in points.windows(2) {
            let line = Line { course, from: pair[0], to: pair[1], start_mm: length_mm };
            length_mm += pair[0].distance_mm(pair[1]);
            self.put_in_cells(&line);
            self.lines.push(line);
        }
        self.by_ends.entry(ends).or_default().push(course);
        self.courses.push(Course { arc, ends, length_mm, lines: first..self.lines.len() });
    }

    fn put_in_cells(&mut self, line: &Line) {
        let ((x1, y1), (x2, y2)) = (cell(line.from), cell(line.to));
        for x in x1.min(x2)..=x1.max(x2) {
            for y in y1.min(y2)..=y1.max(y2) {
                self.cells.entry((x, y)).or_default().push(self.lines.len() as u32);
            }
        }
    }

    /// Where a place meets the streets. In no way, if there are none.
    pub fn place(&self, at: Point) -> Place {
        let Some(nearest) = self.nearest(at) else { return Place::default() };
        let (from, to) = self.courses[nearest.course as usize].ends;
        let back = self.by_ends.get(&(to, from)).into_iter().flatten();
        let back = back.filter(|course| **course != nearest.course).filter_map(|course| self.on_course(*course, at));
        let way = self.way(nearest);
        // At a node one way is all.
        let back = back.min().map(|near| self.way(near)).filter(|back| back.on != way.on);
        Place { ways: [Some(way), back] }
    }

    fn way(&self, near: Near) -> Way {
        let course = &self.courses[near.course as usize];
        let at_65536 = (near.along_mm * u64::from(END_65536)).checked_div(course.length_mm).unwrap_or(0) as u32;
        let on = match at_65536 {
            0 => On::Node(course.ends.0),
            END_65536.. => On::Node(course.ends.1),
            _ => On::Arc(course.arc, at_65536),
        };
        Way { on, off_road_ms: (near.distance_mm / u64::from(self.off_road_mm_ms)) as u32 }
    }

    fn on_course(&self, course: u32, at: Point) -> Option<Near> {
        self.lines[self.courses[course as usize].lines.clone()].iter().map(|line| line.near(at)).min()
    }

    /// Rings of cells around the place are looked through, from the first that meets the streets, until none can hold a
    /// nearer line.
    fn nearest(&self, at: Point) -> Option<Near> {
        let (x, y) = cell(at);
        let [(west, south), (east, north)] = self.corners;
        let outside = |at: i32, low: i32, high: i32| (low - at).max(at - high).max(0);
        let first = outside(x, west, east).max(outside(y, south, north));
        let last = (x - west).abs().max((x - east).abs()).max((y - south).abs()).max((y - north).abs());
        let mut best: Option<Near> = None;
        for ring in first..=last {
            if best.is_some_and(|found| found.distance_mm < nearest_mm(at, ring)) {
                break;
            }
            for line in self.ring(x, y, ring).filter_map(|c| self.cells.get(&c)).flatten() {
                let line = &self.lines[*line as usize];
                if best.is_none_or(|found| line.is_within(at, found.distance_mm)) {
                    best = best.into_iter().chain([line.near(at)]).min();
                }
            }
        }
        best
    }

    /// The cells at a distance of `ring` cells from a cell, as far as they lie in the city.
    fn ring(&self, x: i32, y: i32, ring: i32) -> impl Iterator<Item = (i32, i32)> {
        let [(west, south), (east, north)] = self.corners;
        let rows = (y - ring).max(south)..=(y + ring).min(north);
        ((x - ring).max(west)..=(x + ring).min(east)).flat_map(move |cx| {
            let is_side = (cx - x).abs() == ring;
            let ends = [y - ring, y + ring].into_iter().filter(move |cy| !is_side && (south..=north).contains(cy));
            rows.clone().filter(move |_| is_side).map(move |cy| (cx, cy)).chain(ends.map(move |cy| (cx, cy)))
        })
    }
}

impl Line {
    /// Whether the box around the line comes so close.
    fn is_within(&self, at: Point, distance_mm: u64) -> bool {
        let outside = |at: i32, a: i32, b: i32| {
            let (at, low, high) = (i64::from(at), i64::from(a.min(b)), i64::from(a.max(b)));
            (low - at).max(at - high).max(0).unsigned_abs()
        };
        outside(at.x_mm, self.from.x_mm, self.to.x_mm) <= distance_mm
            && outside(at.y_mm, self.from.y_mm, self.to.y_mm) <= distance_mm
    }

    fn near(&self, at: Point) -> Near {
        let to = |p: Point| {
            let d = |a: i32, b: i32| i128::from(a) - i128::from(b);
            (d(p.x_mm, self.from.x_mm), d(p.y_mm, self.from.y_mm))
        };
        let ((dx, dy), (px, py)) = (to(self.to), to(at));
        let (length2, dot) = (dx * dx + dy * dy, px * dx + py * dy);
        let dot = dot.clamp(0, length2);
        let part = |d: i128| (d * dot).checked_div(length2).unwrap_or(0) as i32;
        let point = Point { x_mm: self.from.x_mm + part(dx), y_mm: self.from.y_mm + part(dy) };
        let along_mm = self.start_mm + self.from.distance_mm(point);
        Near { distance_mm: point.distance_mm(at), course: self.course, along_mm }
    }
}

/// Whatever lies in the cells of a ring is at least so far away.
fn nearest_mm(at: Point, ring: i32) -> u64 {
    let margin = |mm: i32| mm.rem_euclid(CELL_MM).min(CELL_MM - mm.rem_euclid(CELL_MM));
    let inner = i64::from(ring - 1) * i64::from(CELL_MM) + i64::from(margin(at.x_mm).min(margin(at.y_mm)));
    inner.max(0).unsigned_abs()
}

fn cell(at: Point) -> (i32, i32) {
    (at.x_mm.div_euclid(CELL_MM), at.y_mm.div_euclid(CELL_MM))
}
