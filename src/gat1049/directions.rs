//! Ways through a junction by the directions of its legs: 1 north, 2 north-east, 3 east, .. 8 north-west.

use nanming_dataflows::network::{City, Junction, Light, Point};

/// A way through a junction: the leg by which it comes in, the leg by which it leaves, the head that governs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) entrance: u8,
    pub(super) exit: u8,
    pub(super) head: usize,
}

/// All ways through a junction.
pub(super) fn ways(city: &City, junction: &Junction) -> Vec<Way> {
    let heads = junction.heads.iter().enumerate();
    let movements = heads.flat_map(|(head, h)| h.movements.iter().map(move |movement| (head, movement)));
    let way = |(head, movement): (usize, &nanming_dataflows::ids::MovementId)| {
        let movement = &city.movements[movement.index()];
        let (from, to) = (city.link_of(movement.from), city.link_of(movement.to));
        let heading = junction.approaches.iter().find(|a| a.link == from.id)?.heading_deg;
        // Traffic that comes from the north heads south.
        let entrance = direction(f64::from(heading) + 180.0);
        Some(Way { entrance, exit: direction(bearing_deg(to.shape.first()?, to.shape.get(1)?)), head })
    };
    movements.filter_map(way).collect()
}

/// The stage that lets a way go best: all of its heads, more of them protected, rather the one in force. `exit` 0: all ways
/// from there that any one stage lets go.
pub(super) fn stage(
    city: &City,
    junction: &Junction,
    (entrance, exit): (u8, u8),
    in_force: Option<u16>,
) -> Result<u16, String> {
    let is_wanted = |way: &Way| way.entrance == entrance && (exit == 0 || way.exit == exit);
    let mut heads: Vec<usize> = ways(city, junction).into_iter().filter(is_wanted).map(|way| way.head).collect();
    heads.sort_unstable();
    heads.dedup();
    if heads.is_empty() {
        return Err(format!("no way leads from {} to {}", named(entrance), named(exit)));
    }
    let rank = |row: usize| {
        let lights = &junction.stages[row].lights;
        let green = heads.iter().filter(|head| lights[**head].is_green()).count();
        let protected = heads.iter().filter(|head| lights[**head] == Light::Protected).count();
        (green, protected, in_force == Some(row as u16), std::cmp::Reverse(row))
    };
    let best = (0..junction.stages.len()).max_by_key(|row| rank(*row));
    let fits = |row: &usize| rank(*row).0 == heads.len() || (exit == 0 && rank(*row).0 > 0);
    let complaint = || format!("no stage lets traffic go from {} to {}", named(entrance), named(exit));
    best.filter(fits).map(|row| row as u16).ok_or_else(complaint)
}

fn named(direction: u8) -> &'static str {
    const NAMES: [&str; 9] =
        ["any leg", "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    NAMES.get(usize::from(direction)).copied().unwrap_or("nowhere: directions are 1 to 8")
}

fn bearing_deg(from: &Point, to: &Point) -> f64 {
    f64::from(to.x_mm - from.x_mm).atan2(f64::from(to.y_mm - from.y_mm)).to_degrees()
}

fn direction(bearing_deg: f64) -> u8 {
    ((bearing_deg.rem_euclid(360.0) + 22.5) / 45.0) as u8 % 8 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearings_are_directions() {
        let expected = [(0.0, 1), (22.4, 1), (22.6, 2), (90.0, 3), (180.0, 5), (-90.0, 7), (350.0, 1), (540.0, 5)];
        expected.iter().for_each(|(deg, number)| assert_eq!(direction(*deg), *number, "{deg}"));
    }

    #[test]
    fn every_way_has_a_stage_that_lets_it_go() {
        let city = nanming_simulators::town::small(2, 2, 1);
        for junction in &city.junctions {
            let ways = ways(&city, junction);
            assert!(!ways.is_empty());
            for way in ways {
                let stage = stage(&city, junction, (way.entrance, way.exit), None).unwrap();
                assert!(junction.stages[usize::from(stage)].lights[way.head].is_green(), "{way:?}");
            }
            assert!(stage(&city, junction, (9, 0), None).unwrap_err().contains("no way"));
        }
    }
}
