//! Places where crowds gather: the city's landmarks by name, and generated malls and markets.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Venue};
use rand::RngExt;

use super::{Draw, names, stream};
use crate::course::{beside, end_bearing_deg, place_at};

/// Landmarks with the people that they hold.
const LANDMARKS: [(&str, u32); 18] = [
    ("贵阳北站", 25_000),
    ("贵阳奥林匹克体育中心", 52_000),
    ("贵阳站", 15_000),
    ("甲秀楼", 4_000),
    ("黔灵山公园", 30_000),
    ("青云市集", 8_000),
    ("花果园购物中心", 20_000),
    ("贵阳东站", 12_000),
    ("喷水池商圈", 18_000),
    ("国际会议展览中心", 30_000),
    ("花溪公园", 15_000),
    ("龙洞堡客运站", 6_000),
    ("金阳客运站", 8_000),
    ("大十字广场", 10_000),
    ("筑城广场", 20_000),
    ("观山湖公园", 20_000),
    ("河滨公园", 8_000),
    ("大南门市场", 5_000),
];
/// Kinds of generated venues, with the people that they hold at least.
const KINDS: [(&str, u32); 5] =
    [("购物中心", 6_000), ("农贸市场", 1_500), ("万达广场", 8_000), ("体育馆", 4_000), ("公园", 3_000)];

/// Places `count` venues beside links of the inner city.
pub(crate) fn venues(city: &City, count: usize, seed: u64) -> Vec<Venue> {
    let mut rng = stream(seed, Draw::Venues);
    let venue = |row: usize| {
        let link = &city.links[rng.random_range(0..city.links.len())];
        let middle = place_at(&link.shape, u64::from(link.length_mm) / 2);
        let at = beside(middle, end_bearing_deg(&link.shape), rng.random_range(40_000.0..120_000.0));
        let (name, capacity) = match LANDMARKS.get(row) {
            Some((name, capacity)) => (name.to_string(), *capacity),
            None => {
                let (kind, least) = KINDS[row % KINDS.len()];
                (format!("{}{kind}", names::stem(row)), least + 100 * rng.random_range(0..least / 100))
            }
        };
        Venue { id: VenueId::from_index(row), name, at, link: link.id, capacity }
    };
    (0..count).map(venue).collect()
}
