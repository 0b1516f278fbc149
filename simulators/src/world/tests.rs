//! Tests.
use super::*;
#[test]
fn diagnose() {
    let city = Arc::new(crate::guiyang::generate(1));
    let start_ms = 1_767_652_200_000;
    let settings = WorldSettings { start_ms, control: Control::FixedPlans, incidents: false, ..Default::default() };
    let mut w = World::new(city.clone(), settings);
    for m in 1..=120 { w.step(start_ms + m * 60_000); }
    println!("{:?}", w.summary());
    let mut links: Vec<u32> = (0..city.links.len() as u32).collect();
    links.sort_by_key(|l| std::cmp::Reverse(w.traffic.link_truth(*l).travel_ms));
    for &l in &links[..14] {
        let t = w.traffic.link_truth(l);
        let r = &w.traffic.roads.links[l as usize];
        println!("link {l} {} lanes {} len {} m {t:?} waiting {} leaves {} node-junction {:?}", city.links[l as usize].road, r.lanes.len(), city.links[l as usize].length_mm / 1000, w.traffic.waiting[l as usize].len(), r.leaves_city, city.nodes[r.to as usize].junction);
        let mut greens = vec![];
        if let Some(j) = city.nodes[r.to as usize].junction { let j = &city.junctions[j.index()]; let p = &j.plans[plans::plan_in_force(j, 480)]; greens = plans::green_shares(j, p, 0.4); println!("   cycle {} steps {:?}", p.cycle_ms(), p.steps.iter().map(|s| (s.stage, s.green_ms, s.intergreen_ms)).collect::<Vec<_>>()); }
        for e in &r.exits {
            let h = e.head;
            let base = city.nodes[r.to as usize].junction.map_or(0, |j| w.traffic.roads.first_head[j.index()]);
            println!("   {:?} -> {} lanes {:?} head {} green {:.2} yields {:?} next {:?}", e.turn, e.link, e.lanes, h as i64, if h == roads::NONE {9.0} else {greens[(h-base) as usize]}, if h == roads::NONE {vec![]} else {w.traffic.roads.yields_to[h as usize].clone()}, w.traffic.link_truth(e.link).vehicles);
        }
        for &lane in &r.lanes {
            let q = &w.traffic.lanes[lane as usize];
            println!("   lane {lane}: {} cars, exit {} blocked {} go {} cap {}", q.cars.len(), q.exit as i32, if q.blocked_ms > 0 {(w.now_ms - q.blocked_ms)/1000} else {0}, q.go, w.traffic.roads.lanes[lane as usize].length_mm / 7500);
        }
    }
}
