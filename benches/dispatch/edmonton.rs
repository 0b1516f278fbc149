//! The road graph of Edmonton as JEMSS publishes it: nodes by longitude and latitude, arcs with travel times in days for
//! two modes. The first is taken: with lights and sirens.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use nanming_dataflows::network::{LonLat, Point};
use nanming_dataflows::roads::{Access, Place, RoadGraph};

const MS_PER_DAY: f64 = 86_400_000.0;
/// Between a place and the nearest street, mm/ms: 1,080 km a day, as the data have it, is 12.5; as on foot in the city.
const OFF_ROAD_MM_MS: u32 = 6;

pub(crate) struct Edmonton {
    pub(crate) nodes: Vec<Point>,
    pub(crate) arcs: Vec<(u32, u32)>,
    pub(crate) arc_ms: Vec<u32>,
    pub(crate) graph: RoadGraph,
    pub(crate) access: Access,
}

impl Edmonton {
    pub(crate) fn read() -> Self {
        let (nodes, arcs) = (rows("nodes.csv.gz", "nodes"), rows("arcs.csv.gz", "arcs"));
        let origin = LonLat::from_degrees(-113.5, 53.55);
        let nodes: Vec<Point> = nodes.iter().map(|n| LonLat::from_degrees(n[1], n[2]).to_point(origin)).collect();
        let arc_ms = arcs.iter().map(|a| (a[4] * MS_PER_DAY).round() as u32).collect();
        let arcs: Vec<(u32, u32)> = arcs.iter().map(|a| (a[1] as u32 - 1, a[2] as u32 - 1)).collect();
        let courses: Vec<[Point; 2]> = arcs.iter().map(|(from, to)| [*from, *to].map(|n| nodes[n as usize])).collect();
        let course = |(arc, (ends, course)): (u32, (&(u32, u32), _))| (arc, *ends, course);
        let access =
            Access::new((0..).zip(arcs.iter().zip(courses.iter().map(|c| &c[..]))).map(course), OFF_ROAD_MM_MS);
        Edmonton { graph: RoadGraph::new(&nodes, &arcs, &[]), nodes, arcs, arc_ms, access }
    }

    /// So many places within 150 m of nodes, the same every time; others for another seed.
    pub(crate) fn places(&self, count: usize, seed: u64) -> Vec<Place> {
        self.points(count, seed).into_iter().map(|point| self.access.place(point)).collect()
    }

    /// The points of such places.
    pub(crate) fn points(&self, count: usize, seed: u64) -> Vec<Point> {
        let mut seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |below: u64| {
            // Xorshift (Marsaglia 2003).
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let mut point = || {
            let node = self.nodes[next(self.nodes.len() as u64) as usize];
            let (x_mm, y_mm) = (next(200_000) as i32 - 100_000, next(200_000) as i32 - 100_000);
            Point { x_mm: node.x_mm + x_mm, y_mm: node.y_mm + y_mm }
        };
        (0..count).map(|_| point()).collect()
    }
}

/// The numbers of the lines after the heading of a table.
fn rows(name: &str, table: &str) -> Vec<Vec<f64>> {
    let data = std::env::var_os("NANMING_DATA").map(PathBuf::from).expect("NANMING_DATA, the directory of the data");
    let path = data.join("dispatch/edmonton").join(name);
    let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("a table packed by gzip");
    let lines = text.lines().skip_while(|line| line.split(',').next() != Some(table)).skip(2);
    let numbers = |line: &str| -> Vec<f64> { line.split(',').map_while(|cell| cell.parse().ok()).collect() };
    lines.map(numbers).filter(|row| row.len() > 2).collect()
}
