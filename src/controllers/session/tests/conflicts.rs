//! Lamps that conflict: own plan first, flashing yellow last.

use super::*;

/// A controller in the centre's hands whose lamps begin to conflict.
fn clashing(rules: Rules) -> Scene {
    let mut scene = Scene::new(rules);
    scene.session.wish(Some(0), 1_000);
    let first = scene.session.frames().remove(0);
    scene.status(&first);
    scene.play(10);
    scene.lamps.fill(LampState::Green as u8);
    scene
}

impl Scene {
    fn orders_of(&mut self, seconds: u64) -> Vec<Ask> {
        let second = |_| {
            self.session.wish(Some(0), self.now_ms);
            self.play(1_000)
        };
        let orders: Vec<_> = (0..seconds).flat_map(second).collect();
        orders.into_iter().map(|(ask, _)| ask).collect()
    }
}

const LOCAL: Ask = Ask::Mode(Mode::LOCAL_FIXED);
const FLASH: Ask = Ask::Mode(Mode::FLASH);

#[test]
fn a_conflict_in_its_own_plan_too_ends_in_flashing_until_a_person_releases_it() {
    let mut scene = clashing(rules());
    assert_eq!((scene.orders_of(3), scene.alarms()), (vec![LOCAL], vec![Alarm::Conflict]));
    assert_eq!(scene.orders_of(10), [], "it may be on its way to its own plan");
    assert_eq!((scene.orders_of(5), scene.alarms()), (vec![FLASH], vec![Alarm::Flashing]));
    scene.lamps.fill(LampState::YellowFlash as u8);
    assert_eq!((scene.orders_of(2_000), scene.session.state().reach), (vec![], Reach::Flashing));
    scene.mode = Mode::LOCAL_FIXED;
    scene.lamps = lamps(0);
    assert_eq!((scene.orders_of(10), scene.session.state().reach), (vec![], Reach::Distrusted), "a person did");
    assert_eq!(scene.orders_of(580), []);
    assert_eq!(scene.orders_of(20)[0], Ask::Mode(Mode::CENTRE_ADAPTIVE), "ten minutes later it is led again");
}

#[test]
fn a_conflict_that_ends_with_the_centre_s_hands_is_no_reason_to_flash_nor_one_much_later() {
    let mut scene = clashing(rules());
    assert_eq!(scene.orders_of(3), [LOCAL]);
    scene.lamps = lamps(0);
    assert_eq!(scene.orders_of(590), []);
    assert_eq!(scene.orders_of(20)[0], Ask::Mode(Mode::CENTRE_ADAPTIVE));
    scene.lamps.fill(LampState::Green as u8);
    scene.orders_of(3);
    assert_eq!(scene.alarms(), [Alarm::Conflict; 2]);
}

#[test]
fn who_refuses_its_own_plan_after_a_conflict_is_made_to_flash_at_once_and_told_so_until_it_does() {
    let mut scene = clashing(rules());
    let mut asked = Vec::new();
    for _ in 0..30 {
        for frame in scene.turn(400).1 {
            match frame.kind {
                Kind::Query => scene.status(&frame),
                Kind::Set => {
                    asked.push(Mode(frame.items[0].data[0]));
                    let items = vec![Item { data: vec![Refused::Control as u8], ..frame.items[0].clone() }];
                    scene.hear(frame.reply(Kind::SetError, items));
                }
                _ => {}
            }
        }
    }
    assert_eq!(asked[..3], [Mode::LOCAL_FIXED, Mode::FLASH, Mode::FLASH]);
    assert_eq!(scene.alarms(), [Alarm::Conflict, Alarm::Flashing]);
}

#[test]
fn who_hangs_up_meanwhile_is_made_to_flash_when_it_is_back() {
    let mut scene = clashing(rules());
    scene.orders_of(14);
    scene.mode = Mode::LOCAL_FIXED;
    while scene.alarms().last() != Some(&Alarm::Flashing) {
        scene.now_ms += 100;
        scene.session.judge(scene.now_ms);
    }
    scene.session.gone("it has hung up", scene.now_ms);
    scene.session.connected(scene.now_ms);
    let asked = scene.session.frames().remove(0);
    scene.status(&asked);
    assert_eq!(scene.orders_of(1), [FLASH]);
}

#[test]
fn one_that_flashes_when_the_engine_starts_counts_as_such_and_one_that_begins_by_itself_does_not() {
    let found = |rules: Rules| {
        let mut scene = Scene::new(rules);
        scene.mode = Mode::FLASH;
        scene.lamps.fill(LampState::YellowFlash as u8);
        let first = scene.session.frames().remove(0);
        scene.status(&first);
        scene
    };
    let mut scene = found(rules());
    assert_eq!((scene.orders_of(60), scene.session.state().reach), (vec![], Reach::Special), "it may be starting");
    assert_eq!((scene.orders_of(60), scene.session.state().reach), (vec![], Reach::Flashing));
    assert_eq!(scene.alarms(), [Alarm::Flashing]);
    scene.mode = Mode::LOCAL_FIXED;
    scene.lamps = lamps(0);
    assert_eq!((scene.orders_of(590), scene.session.state().reach), (vec![], Reach::Distrusted), "a person did");
    assert_eq!(scene.orders_of(20)[0], Ask::Mode(Mode::CENTRE_ADAPTIVE));
    scene.mode = Mode::FLASH;
    assert_eq!((scene.orders_of(60), scene.session.state().reach), (vec![], Reach::Special));
    let mut scene = found(Rules { flash: false, ..rules() });
    assert_eq!(
        (scene.orders_of(120), scene.session.state().reach),
        (vec![], Reach::Special),
        "nobody is told to flash"
    );
}

#[test]
fn nobody_is_made_to_flash_where_it_is_not_permitted_or_a_person_decides() {
    let mut scene = clashing(Rules { flash: false, ..rules() });
    assert_eq!((scene.orders_of(60), scene.alarms()), (vec![LOCAL], vec![Alarm::Conflict]));
    let mut scene = clashing(rules());
    scene.orders_of(3);
    scene.mode = Mode(0x25);
    assert_eq!((scene.orders_of(60), scene.alarms()), (vec![], vec![Alarm::Conflict]));
}
