//! Plans of the engine in controllers that take plans.

use nanming_dataflows::network::PlanStep;

use super::*;
use crate::controllers::PlanClock;

/// 2026-01-06 00:00 UTC: eight in the morning of the town.
const NOW_MS: u64 = 1_767_657_600_000;

fn plan(made_s: u64, offset_ms: u32, greens_ms: [u32; 2]) -> SignalPlan {
    let steps = (0..).zip(greens_ms).map(|(stage, green_ms)| PlanStep { stage, green_ms, intergreen_ms: 5_500 });
    SignalPlan {
        junction: JunctionId(0),
        time_ms: NOW_MS + made_s * 1000,
        group: JunctionId(0),
        cycle_ms: greens_ms.iter().sum::<u32>() + 11_000,
        offset_ms,
        saturation_milli: 0,
        steps: steps.collect(),
    }
}

fn taker() -> Scene {
    let mut scene = Scene::of(Site { plan_slots: Some([31, 32]), ..site() }, rules());
    scene.session.wish(Some(0), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    scene
}

impl Scene {
    fn follow(&mut self, plan: Option<&SignalPlan>, at_s: u64) {
        self.session.follow(plan, NOW_MS + at_s * 1000);
        self.session.wish(Some(0), self.now_ms);
    }

    fn orders(&mut self, ms: u64) -> Vec<Ask> {
        self.play(ms).into_iter().map(|(ask, _)| ask).collect()
    }

    /// Answers the next order with a refusal.
    fn refuse(&mut self) -> Frame {
        let order = self.turn(10).1.into_iter().find(|frame| frame.kind == Kind::Set).unwrap();
        let items = vec![Item { data: vec![Refused::Range as u8], ..order.items[0].clone() }];
        self.hear(order.reply(Kind::SetError, items));
        order
    }
}

fn row(asks: &[Ask]) -> &PlanRow {
    let Some(Ask::Write(row)) = asks.first() else { panic!("{asks:?}") };
    row
}

const RUN_31: [Ask; 2] = [Ask::Plan(31), Ask::Mode(Mode::CENTRE_COORDINATED)];

#[test]
fn a_plan_is_written_ordered_and_run_and_no_stage_is_ordered() {
    let mut scene = taker();
    scene.follow(Some(&plan(0, 20_000, [40_000, 29_000])), 0);
    let orders = scene.orders(10);
    assert_eq!(row(&orders).number, 31);
    assert_eq!(orders[1..], RUN_31);
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(
        (0..300).flat_map(|_| scene.orders(100)).collect::<Vec<_>>(),
        [],
        "the engine's own stages are not sent"
    );
    assert_eq!((scene.alarms(), scene.session.state().reach), (vec![], Reach::Centre));
}

#[test]
fn cycle_offset_and_shortest_greens_are_kept_in_whole_seconds() {
    let site = Site { plan_slots: Some([31, 32]), ..site() };
    let least_s = |stage: u16| u64::from((site.of().least_green_ms(stage) + 5_500).div_ceil(1000));
    for cycle_s in 60..120_u32 {
        let least_ms = site.of().least_green_ms(1);
        let plan = plan(0, 20_000, [cycle_s * 1000 - 11_000 - least_ms, least_ms]);
        let row = plans::planned(&site, &plan, PlanClock::Epoch, NOW_MS).unwrap().row;
        assert_eq!((u32::from(row.cycle_s()), row.offset_s), (cycle_s, 20));
        assert!(row.steps.iter().zip(0..).all(|(step, stage)| u64::from(step.time_s) >= least_s(stage)), "{row:?}");
        assert!(row.steps.iter().zip(&plan.steps).all(|(step, of)| {
            (i64::from(step.time_s) * 1000 - i64::from(of.green_ms + of.intergreen_ms)).abs() <= 1_000
        }));
    }
}

#[test]
fn offsets_count_from_the_last_midnight_and_are_written_anew_after_the_next() {
    let city_midnight_ms = NOW_MS - NOW_MS % 86_400_000 - 8 * 3_600_000;
    let (plan, rules) = (plan(0, 20_000, [40_000, 26_000]), rules());
    let offset_s = |at_ms| plans::planned(&site(), &plan, rules.plan_clock, at_ms).unwrap().row.offset_s;
    assert_eq!(site().city.utc_offset_min, 480);
    let begins_ms = plan.next_begin_ms(city_midnight_ms);
    assert_eq!(u64::from(offset_s(NOW_MS)), (begins_ms - city_midnight_ms) / 1000);
    let next_ms = city_midnight_ms + 86_400_000;
    assert_eq!(u64::from(offset_s(next_ms)), (plan.next_begin_ms(next_ms) - next_ms) / 1000);
    assert_ne!(offset_s(next_ms), offset_s(next_ms - 1), "77 s do not go into a day");
}

#[test]
fn each_new_plan_goes_where_none_is_in_force() {
    let mut scene = taker();
    scene.follow(Some(&plan(0, 0, [40_000, 29_000])), 0);
    scene.orders(10);
    scene.follow(Some(&plan(180, 0, [50_000, 29_000])), 180);
    let orders = scene.orders(10);
    assert_eq!((row(&orders).number, &orders[1..]), (32, [Ask::Plan(32)].as_slice()));
    scene.plan = 31;
    scene.orders(2_000);
    scene.follow(Some(&plan(360, 0, [29_000, 50_000])), 360);
    assert_eq!(scene.orders(2_000), [], "it still runs one and is to run the other");
    scene.plan = 32;
    scene.orders(2_000);
    let orders = scene.orders(10);
    assert!(orders.is_empty() || row(&orders).number == 31, "{orders:?}");
    assert_eq!(scene.plan, 31);
    scene.follow(Some(&plan(540, 0, [29_000, 50_000])), 540);
    assert_eq!(scene.orders(2_000), [], "the same again");
}

#[test]
fn who_has_priority_gets_stages_and_the_plan_comes_back_without_being_written() {
    let mut scene = taker();
    let planned = plan(0, 0, [40_000, 29_000]);
    scene.follow(Some(&planned), 0);
    scene.orders(10);
    scene.follow(None, 10);
    scene.session.wish(Some(1), scene.now_ms);
    assert_eq!(scene.orders(10), [Ask::Mode(Mode::CENTRE_ADAPTIVE), Ask::Stage(2)]);
    scene.follow(Some(&planned), 30);
    assert_eq!(scene.orders(10), RUN_31);
}

#[test]
fn one_that_leaves_is_ordered_its_plan_anew_when_the_engine_orders_anew_and_not_before() {
    let mut scene = taker();
    let planned = plan(0, 0, [40_000, 29_000]);
    scene.follow(Some(&planned), 0);
    scene.orders(10);
    scene.mode = Mode::LOCAL_FIXED;
    scene.orders(2_000);
    scene.session.follow(Some(&plan(180, 0, [50_000, 29_000])), NOW_MS + 180_000);
    assert_eq!((0..60).flat_map(|_| scene.orders(1_000)).collect::<Vec<_>>(), [], "plans alone lead nobody");
    scene.follow(Some(&planned), 190);
    assert_eq!(scene.orders(10), RUN_31, "what stands in its table is not written");
}

#[test]
fn one_that_was_away_has_its_plan_written_and_ordered_anew_beside_the_one_that_it_runs() {
    let mut scene = taker();
    let planned = plan(0, 0, [40_000, 29_000]);
    scene.follow(Some(&planned), 0);
    scene.orders(10);
    scene.plan = 31;
    scene.session.gone("it has hung up", scene.now_ms);
    scene.session.connected(scene.now_ms);
    let asked = scene.session.frames().remove(0);
    scene.status(&asked);
    assert_eq!(scene.orders(2_000), [], "the engine may still be hearing of it");
    scene.follow(Some(&planned), 20);
    let orders = scene.orders(10);
    assert_eq!((row(&orders).number, &orders[1..]), (32, [Ask::Plan(32)].as_slice()));
}

#[test]
fn a_refused_plan_leaves_the_one_in_force_as_long_as_that_holds() {
    let mut scene = taker();
    scene.follow(Some(&plan(0, 0, [40_000, 29_000])), 0);
    scene.orders(10);
    scene.follow(Some(&plan(180, 0, [50_000, 29_000])), 180);
    assert_eq!(PlanRow::read(&scene.refuse()).unwrap().number, 32);
    let said = scene.session.said();
    assert!(said.contains(&Said::Order(Outcome::Refused)));
    assert!(said.iter().any(|said| matches!(said, Said::Alarm(Alarm::PlanRefused, _))));
    assert_eq!((0..20).flat_map(|_| scene.orders(1_000)).collect::<Vec<_>>(), [], "that one goes on");
    assert_eq!((scene.mode, scene.plan), (Mode::CENTRE_COORDINATED, 31));
    scene.follow(Some(&plan(899, 0, [50_000, 29_000])), 899);
    scene.refuse();
    assert_eq!(scene.orders(100), []);
    scene.follow(Some(&plan(900, 0, [50_000, 29_000])), 900);
    scene.refuse();
    assert_eq!(scene.orders(100), [Ask::Mode(Mode::CENTRE_ADAPTIVE), Ask::Stage(1)], "a quarter of an hour old");
}

#[test]
fn who_does_not_take_the_first_plan_is_led_by_stages() {
    let mut scene = taker();
    scene.follow(Some(&plan(0, 0, [40_000, 29_000])), 0);
    scene.refuse();
    assert_eq!(scene.orders(10), [Ask::Mode(Mode::CENTRE_ADAPTIVE), Ask::Stage(1)]);
    let mut too_short = plan(180, 0, [3_000, 29_000]);
    too_short.cycle_ms = 20_000;
    scene.follow(Some(&too_short), 180);
    scene.follow(Some(&too_short), 190);
    assert_eq!(scene.alarms(), [Alarm::PlanRefused; 2], "each once");
}

#[test]
fn who_tells_another_plan_than_it_accepted_disobeys() {
    let mut scene = taker();
    scene.follow(Some(&plan(0, 0, [40_000, 29_000])), 0);
    scene.orders(10);
    scene.plan = 4;
    let orders: Vec<Ask> = (0..200)
        .flat_map(|s| {
            scene.session.wish(Some(0), scene.now_ms);
            if s == 158 {
                assert_eq!(scene.alarms(), [], "two cycles are not over")
            }
            scene.orders(1_000)
        })
        .collect();
    assert_eq!((orders, scene.alarms()), (vec![Ask::Mode(Mode::LOCAL_FIXED)], vec![Alarm::Disobeyed]));
}
