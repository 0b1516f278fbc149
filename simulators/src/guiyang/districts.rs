//! Districts and patrol grids: who is responsible where.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{District, Grid, Point};

use super::Scale;
use super::streets::Plat;

/// Districts with the place of their middle, 1/1000 of the city's width and height from the south-west.
const DISTRICTS: [(&str, &str, i64, i64); 10] = [
    ("南明区", "Nanming", 580, 440),
    ("云岩区", "Yunyan", 550, 590),
    ("观山湖区", "Guanshanhu", 240, 660),
    ("花溪区", "Huaxi", 450, 110),
    ("乌当区", "Wudang", 850, 760),
    ("白云区", "Baiyun", 350, 900),
    ("小河区", "Xiaohe", 560, 270),
    ("双龙新区", "Shuanglong", 890, 400),
    ("贵安新区", "Gui'an", 150, 190),
    ("清镇市", "Qingzhen", 90, 430),
];

/// The rectangle around all streets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    min: Point,
    max: Point,
}

impl Frame {
    /// Around a street plan, with 400 m to spare.
    pub(crate) fn around(plat: &Plat) -> Frame {
        let places = || plat.corners.iter().map(|c| c.at).chain(plat.streets.iter().map(|s| s.course[1]));
        let min = |of: fn(Point) -> i32| places().map(of).min().unwrap_or(0) - 400_000;
        let max = |of: fn(Point) -> i32| places().map(of).max().unwrap_or(0) + 400_000;
        Frame {
            min: Point { x_mm: min(|p| p.x_mm), y_mm: min(|p| p.y_mm) },
            max: Point { x_mm: max(|p| p.x_mm), y_mm: max(|p| p.y_mm) },
        }
    }

    /// The place at shares of the width and height, 1/1000.
    pub(crate) fn at(&self, east_milli: i64, north_milli: i64) -> Point {
        Point {
            x_mm: mix(self.min.x_mm, self.max.x_mm, east_milli, 1000),
            y_mm: mix(self.min.y_mm, self.max.y_mm, north_milli, 1000),
        }
    }

    /// The nearest of the first `count` districts; the lower ID where two are as near.
    pub(crate) fn district_at(&self, at: Point, count: usize) -> DistrictId {
        let far = |d: &usize| self.at(DISTRICTS[*d].2, DISTRICTS[*d].3).distance_mm(at);
        DistrictId::from_index((0..count).min_by_key(far).unwrap_or(0))
    }
}

/// The first `count` districts.
pub(crate) fn named(count: usize) -> Vec<District> {
    let district = |(row, &(name, name_en, _, _)): (usize, &(&str, &str, i64, i64))| District {
        id: DistrictId::from_index(row),
        name: name.to_string(),
        name_en: name_en.to_string(),
    };
    DISTRICTS.iter().take(count).enumerate().map(district).collect()
}

/// Patrol grids: equal rectangles that cover the frame without gap or overlap, all of dispatch region 0.
pub(crate) fn grids(scale: &Scale, frame: &Frame) -> Vec<Grid> {
    let (rows, cols) = scale.grids;
    let corner = |row: usize, col: usize| Point {
        x_mm: mix(frame.min.x_mm, frame.max.x_mm, col as i64, cols as i64),
        y_mm: mix(frame.min.y_mm, frame.max.y_mm, row as i64, rows as i64),
    };
    let grid = |id: usize| {
        let (row, col) = (id / cols, id % cols);
        let (min, max) = (corner(row, col), corner(row + 1, col + 1));
        let middle = Point { x_mm: min.x_mm / 2 + max.x_mm / 2, y_mm: min.y_mm / 2 + max.y_mm / 2 };
        let district = frame.district_at(middle, scale.districts);
        Grid { id: GridId::from_index(id), name: format!("G{:03}", id + 1), min, max, district, region: RegionId(0) }
    };
    (0..rows * cols).map(grid).collect()
}

fn mix(from: i32, to: i32, share: i64, of: i64) -> i32 {
    (i64::from(from) + (i64::from(to) - i64::from(from)) * share / of) as i32
}
