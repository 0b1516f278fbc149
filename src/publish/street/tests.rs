use crossbeam_channel::{Receiver, unbounded};
use nanming_dataflows::decision::{Interval, StageReason};
use nanming_dataflows::event::Lamp;
use nanming_dataflows::ids::JunctionId;
use nanming_simulators::town;

use super::*;

/// A street, and what its controllers hear. Its clock stands where it starts, but for the milliseconds of the test.
struct Scene {
    street: Street,
    heard: Receiver<SignalCommand>,
    metrics: Arc<Metrics>,
    start_ms: u64,
}

fn scene() -> Scene {
    let city = Arc::new(town::small(2, 2, 1));
    let (metrics, start_ms) = (Arc::new(Metrics::new(&city)), 1_767_657_600_000);
    let (sender, heard) = unbounded();
    let clock = Clock::starting_at(start_ms, 1.0);
    Scene { street: Street::new(city, Arc::clone(&metrics), clock, Some(sender)), heard, metrics, start_ms }
}

impl Scene {
    /// Tells a command for all heads that are green in the first stage; whether it left.
    fn tell(&mut self, at_ms: u64, lamp: Lamp) -> bool {
        let junction = &self.street.city.junctions[0];
        let lamps = junction.stages[0].lights.iter().map(|light| match (light.lamp(), lamp) {
            (Lamp::Red, _) => Lamp::Red,
            (green, Lamp::Protected) => green,
            (_, other) => other,
        });
        let (lamps, junction) = (lamps.collect(), JunctionId(0));
        let (stage, interval, reason) = (0, Interval::Green, StageReason::Plan);
        self.street.tell(&[SignalCommand { junction, at_ms, stage, interval, lamps, reason }]);
        self.heard.try_recv().is_ok()
    }

    fn counts(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|l| l == line)
    }
}

#[test]
fn a_command_that_comes_too_late_does_not_leave_nor_does_what_follows_from_it() {
    let mut scene = scene();
    let now_ms = scene.start_ms;
    assert!(!scene.tell(now_ms - 60_000, Lamp::Red), "a minute old");
    assert!(scene.tell(now_ms - 1_000, Lamp::Protected), "whatever comes first");
    assert!(!scene.tell(now_ms - 3_000, Lamp::Yellow), "three seconds old");
    assert!(!scene.tell(now_ms, Lamp::Red), "without the yellow that it missed it would be a jump");
    assert!(!scene.tell(now_ms, Lamp::Red), "still");
    assert!(scene.tell(now_ms, Lamp::Protected), "the green that it shows");
    assert!(scene.counts("nanming_signal_commands_held_total 4"), "{}", scene.metrics.render());
    assert!(scene.counts("nanming_envelope_violations_total 0"));
}

#[test]
fn a_jump_without_a_reason_is_held_and_counted() {
    let mut scene = scene();
    let now_ms = scene.start_ms;
    assert!(scene.tell(now_ms, Lamp::Protected));
    assert!(!scene.tell(now_ms, Lamp::Red));
    assert!(scene.counts("nanming_envelope_violations_total 1"), "{}", scene.metrics.render());
    assert!(scene.counts("nanming_signal_commands_total{reason=\"plan\"} 1"));
}
