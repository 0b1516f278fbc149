use super::*;
use crate::network::{PlanStep, SignalMode};

const INTERGREEN_MS: u32 = 5_000;

/// In plan mode; the local plan begins 3 s after midnight.
fn crossing() -> Junction {
    let mut junction = Junction::of_two_stages();
    junction.plans[0].offset_ms = 3_000;
    junction.mode = SignalMode::Plan;
    junction
}

fn plan(offset_ms: u32, greens_ms: [u32; 2], time_ms: u64) -> SignalPlan {
    let step = |(stage, green_ms)| PlanStep { stage, green_ms, intergreen_ms: INTERGREEN_MS };
    SignalPlan {
        junction: Default::default(),
        time_ms,
        group: Default::default(),
        cycle_ms: greens_ms.iter().sum::<u32>() + 2 * INTERGREEN_MS,
        offset_ms,
        saturation_milli: 0,
        steps: (0..).zip(greens_ms).map(step).collect(),
    }
}

/// Drives a junction by its follower second by second; when each green began, its stage, and how long it stood, ms.
fn drive(plans: &[(Time, SignalPlan)], from_ms: Time, until_ms: Time) -> Vec<(Time, u16, u64)> {
    let (city, junction, mut follower) = (City::default(), crossing(), Follower::default());
    let (mut stage, mut since_ms, mut greens) = (0, from_ms, Vec::new());
    let mut now = from_ms;
    while now < until_ms {
        plans.iter().filter(|(at_ms, _)| *at_ms == now).for_each(|(_, plan)| follower.hear(plan));
        let wanted = follower.wanted(&city, &junction, stage, since_ms, now);
        if wanted != stage {
            greens.push((since_ms, stage, now - since_ms));
            now += u64::from(INTERGREEN_MS);
            (stage, since_ms) = (wanted, now);
        }
        now = follower.due_ms(now, 1_000).max(now + 1);
    }
    greens
}

#[test]
fn without_a_plan_of_the_centre_it_keeps_to_the_local_one_and_its_clock() {
    let greens = drive(&[], 1_000_000, 2_000_000);
    let late_ms = |at_ms: u64| (at_ms - 3_000) % 70_000;
    let settled = greens.iter().filter(|g| g.0 > 1_500_000);
    assert!(settled.clone().count() > 8);
    for (at_ms, stage, for_ms) in settled {
        assert_eq!((late_ms(*at_ms), *for_ms), if *stage == 0 { (0, 30_000) } else { (35_000, 30_000) });
    }
}

#[test]
fn a_new_plan_is_come_to_by_little_steps_that_keep_shortest_greens() {
    for (offset_s, greens_ms) in
        [(0, [40_000, 30_000]), (17, [40_000, 30_000]), (45, [60_000, 10_000]), (79, [20_000, 8_000])]
    {
        let new = plan(offset_s * 1000, greens_ms, 500_000);
        let (cycle_ms, most_ms) = (u64::from(new.cycle_ms), u64::from(new.cycle_ms) * 150 / 1000);
        let greens = drive(&[(500_000, new.clone())], 200_000, 1_200_000);
        assert!(greens.iter().skip(1).all(|g| g.2 >= 7_000), "{greens:?}");
        let starts: Vec<u64> = greens.iter().filter(|g| g.1 == 0).map(|g| g.0).collect();
        let taken_up = starts.iter().position(|at_ms| *at_ms > 500_000).unwrap();
        for pair in starts[taken_up..].windows(2) {
            let lasted_ms = pair[1] - pair[0];
            assert!(lasted_ms.abs_diff(cycle_ms) <= most_ms, "{lasted_ms} of {cycle_ms}: {starts:?}");
        }
        let last = starts[starts.len() - 1];
        let off_ms = (last + cycle_ms - u64::from(new.offset_ms)) % cycle_ms;
        assert!(off_ms.min(cycle_ms - off_ms) <= u64::from(NEAR_MS), "{off_ms}: {starts:?}");
        assert_eq!(greens[greens.len() - 2..].iter().map(|g| g.2).sum::<u64>(), cycle_ms - 10_000);
    }
}

#[test]
fn the_shorter_way_is_taken_and_the_way_is_longer_where_greens_cannot_shrink() {
    let junction = crossing();
    let sum = |plan: &SignalPlan, late_ms: u64| {
        let begins_ms = 10 * u64::from(plan.cycle_ms) + late_ms;
        on_time(&junction, plan, begins_ms).iter().sum::<u32>() + 2 * INTERGREEN_MS
    };
    let roomy = plan(0, [40_000, 30_000], 0);
    assert_eq!(sum(&roomy, 8_000), 72_000, "8 s late: 8 s shorter");
    assert_eq!(sum(&roomy, 30_000), 68_000, "no more than 12 s");
    assert_eq!(sum(&roomy, 75_000), 85_000, "5 s early");
    let tight = plan(0, [7_000, 8_000], 0);
    assert_eq!(sum(&tight, 4_000), 24_000, "one second is all there is: 4 cycles of it");
    assert_eq!(sum(&tight, 12_000), 28_750, "13 s in 4 cycles of 3.75 s rather than 12 s in 12");
}

#[test]
fn an_old_plan_gives_way_to_the_local_one() {
    let greens = drive(&[(100_000, plan(0, [60_000, 20_000], 100_000))], 90_000, 2_500_000);
    let lasted = |at_ms: u64| greens.iter().find(|g| g.0 > at_ms && g.1 == 0).unwrap().2;
    assert_eq!(lasted(800_000), 60_000);
    assert_eq!(lasted(2_000_000), 30_000);
}

#[test]
fn a_green_that_was_interrupted_is_given_again_and_none_is_left_out() {
    let (city, junction, mut follower) = (City::default(), crossing(), Follower::default());
    follower.hear(&plan(0, [40_000, 30_000], 0));
    assert_eq!(follower.wanted(&city, &junction, 0, 0, 0), 0);
    assert_eq!(follower.wanted(&city, &junction, 1, 20_000, 20_000), 0, "somebody else chose 1: back to 0");
    assert_eq!(follower.wanted(&city, &junction, 0, 30_000, 69_000), 0);
    assert_eq!(follower.wanted(&city, &junction, 0, 30_000, 70_000), 1);
    assert_eq!(follower.wanted(&city, &junction, 1, 200_000, 229_000), 1);
    assert_eq!(follower.wanted(&city, &junction, 1, 200_000, 230_000), 0);
}

#[test]
fn parts_are_in_proportion_and_add_up() {
    assert_eq!(parts(&[3, 1], 8), [6, 2]);
    assert_eq!(parts(&[1, 1, 1], 10).iter().sum::<u32>(), 10);
    assert_eq!(parts(&[0, 5, 0], 5), [0, 5, 0]);
    assert_eq!(parts(&[], 0), []);
}

#[test]
fn it_tells_whose_plan_it_follows() {
    let (city, junction, mut follower) = (City::default(), crossing(), Follower::default());
    let made_ms = 1_000_000;
    let mut reason = |heard: Option<SignalPlan>, now: Time| {
        heard.iter().for_each(|plan| follower.hear(plan));
        // Each stage that is wanted stands at once, until a cycle has surely ended.
        let (mut stage, mut since_ms) = (0, now);
        for now in (now..now + 200_000).step_by(1_000) {
            let wanted = follower.wanted(&city, &junction, stage, since_ms, now);
            if wanted != stage {
                (stage, since_ms) = (wanted, now);
            }
        }
        follower.reason()
    };
    assert_eq!(reason(None, made_ms - 200_000), StageReason::LocalPlan);
    assert_eq!(reason(Some(plan(0, [40_000, 30_000], made_ms)), made_ms), StageReason::Plan);
    assert_eq!(reason(None, made_ms + 600_000), StageReason::Plan);
    assert_eq!(reason(None, made_ms + 900_000), StageReason::LocalPlan, "a quarter of an hour old");
}
