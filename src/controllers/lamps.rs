//! Lamp groups as the junction's heads, and what is wrong with them.

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{Conflict, Junction};
use nanming_simulators::gbt20999::LampState;

use super::Site;

/// What each head shows. One whose group tells nothing known counts as dark. A green is protected as far as the stage told says
/// so; without a stage it is taken for protected. A head without a lamp group shows what the stage has for it while all others
/// show what it has for them, and red otherwise.
pub(super) fn heads(site: &Site, groups: &[u8], stage: Option<u16>) -> Vec<Lamp> {
    let lights = stage.and_then(|stage| site.of().stages.get(usize::from(stage))).map(|stage| &stage.lights);
    let lamp = |(head, group): (usize, &u8)| {
        let byte = usize::from(*group).checked_sub(1).and_then(|row| groups.get(row));
        match byte.and_then(|byte| LampState::from_byte(*byte)) {
            Some(LampState::Red | LampState::RedFlash | LampState::RedYellow) => Lamp::Red,
            Some(LampState::Green | LampState::GreenFlash) => {
                let light = lights.and_then(|lights| lights.get(head)).filter(|light| light.is_green());
                light.map_or(Lamp::Protected, |light| light.lamp())
            }
            Some(LampState::Yellow) => Lamp::Yellow,
            Some(LampState::Off | LampState::YellowFlash) | None => Lamp::Off,
        }
    };
    let mut lamps: Vec<Lamp> = site.lamp_groups.iter().enumerate().map(lamp).collect();
    let without = |head: &usize| site.lamp_groups[*head] == 0;
    let stands = |head: usize| lights.is_some_and(|lights| lights[head].lamp() == lamps[head]);
    let all_stand = (0..lamps.len()).filter(|head| !without(head)).all(stands);
    for head in (0..lamps.len()).filter(without) {
        let light = lights.filter(|_| all_stand).map(|lights| lights[head].lamp());
        lamps[head] = light.unwrap_or(Lamp::Red);
    }
    lamps
}

/// Two conflicting heads that go or clear together, though no stage lets both go.
pub(super) fn together(junction: &Junction, lamps: &[Lamp]) -> Option<(usize, usize)> {
    let going: Vec<usize> = (0..lamps.len()).filter(|h| lamps[*h].is_green() || lamps[*h] == Lamp::Yellow).collect();
    let lets = |a: usize, b: usize| junction.stages.iter().any(|s| s.lights[a].is_green() && s.lights[b].is_green());
    let clash = |a: usize, b: usize| junction.conflicts.get(a, b) != Conflict::None && !lets(a, b);
    let pairs = going.iter().enumerate().flat_map(|(row, a)| going[row + 1..].iter().map(|b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| clash(*a, *b))
}

/// The first head that shows another lamp than the stage has for it.
pub(super) fn differs(junction: &Junction, stage: u16, lamps: &[Lamp]) -> Option<usize> {
    let lights = &junction.stages.get(usize::from(stage))?.lights;
    let is_so = |head: &usize| lights[*head].is_green() == lamps[*head].is_green() && lamps[*head] != Lamp::Off;
    (0..lamps.len()).find(|head| !is_so(head) || lamps[*head] == Lamp::Yellow)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nanming_dataflows::ids::JunctionId;

    use super::*;

    fn site() -> Site {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let (stages, heads) = (city.junctions[0].stages.len() as u8, city.junctions[0].heads.len() as u8);
        let (stages, lamp_groups) = ((1..=stages).collect(), (1..=heads).collect());
        let address = "x:1".into();
        Site { city, junction: JunctionId(0), address, controller: 1, road: 1, stages, lamp_groups, plan_slots: None }
    }

    fn groups(site: &Site, stage: usize) -> Vec<u8> {
        let lights = site.of().stages[stage].lights.iter();
        lights.map(|light| if light.is_green() { LampState::Green } else { LampState::Red } as u8).collect()
    }

    #[test]
    fn lamps_of_a_stage_are_its_own_and_no_other_s() {
        let site = site();
        for stage in 0..site.of().stages.len() {
            let lamps = heads(&site, &groups(&site, stage), Some(stage as u16));
            let lights: Vec<Lamp> = site.of().stages[stage].lights.iter().map(|light| light.lamp()).collect();
            assert_eq!(lamps, lights);
            assert_eq!((together(site.of(), &lamps), differs(site.of(), stage as u16, &lamps)), (None, None));
            let other = (stage + 1) % site.of().stages.len();
            assert!(differs(site.of(), other as u16, &lamps).is_some(), "{stage} {other}");
        }
    }

    #[test]
    fn greens_that_no_stage_has_together_are_found_and_yellow_counts_as_green() {
        let site = site();
        let (mut first, second) = (groups(&site, 0), groups(&site, 1));
        for (mine, other) in first.iter_mut().zip(second) {
            if *mine != LampState::Green as u8 && other == LampState::Green as u8 {
                *mine = LampState::Yellow as u8;
            }
        }
        assert!(together(site.of(), &heads(&site, &first, Some(0))).is_some());
    }

    #[test]
    fn a_head_without_a_lamp_group_stands_with_the_others() {
        let mut site = site();
        let head = site.of().stages[0].lights.iter().position(|light| light.is_green()).unwrap();
        site.lamp_groups[head] = 0;
        let mut told = groups(&site, 0);
        let lamps = heads(&site, &told, Some(0));
        assert_eq!((differs(site.of(), 0, &lamps), lamps[head].is_green()), (None, true));
        told.fill(LampState::Red as u8);
        let lamps = heads(&site, &told, Some(0));
        assert!(lamps.iter().all(|lamp| *lamp == Lamp::Red) && differs(site.of(), 0, &lamps).is_some());
    }

    #[test]
    fn what_is_not_told_counts_as_dark() {
        let site = site();
        let lamps = heads(&site, &[0x99, LampState::YellowFlash as u8], None);
        assert!(lamps.iter().all(|lamp| *lamp == Lamp::Off) && lamps.len() == site.of().heads.len());
    }
}
