//! Driving over a link whose speed changes on the way. Pure.
//!
//! The speed holds all along the link and changes with time, linearly between knots: two who drive it never change places
//! (first in, first out), so that to wait never pays, and Dijkstra's search finds the earliest arrival. (Travel times that
//! are taken whole at the moment of entering do not have that property: Ichoua, Gendreau and Potvin 2003.)

/// Between two knots of a link's speeds, ms.
pub const STEP_MS: u64 = 300_000;
/// A standing link counts as walked, mm/s, as it does in the state of links.
const WALK_MM_S: u32 = 500;

/// When one leaves a stretch of `length_mm` that was entered at `enter_ms`, ms. `speeds_mm_s` holds the speed at 0, at
/// [`STEP_MS`], and so on; the last one stays.
pub fn leave_ms(speeds_mm_s: &[u32], length_mm: u64, enter_ms: u64) -> u64 {
    let (mut left_mm, mut now_ms) = (length_mm as f64, enter_ms as f64);
    let speed = |knot: usize| f64::from(speeds_mm_s.get(knot).copied().unwrap_or(WALK_MM_S).max(WALK_MM_S)) / 1000.0;
    let last = speeds_mm_s.len().saturating_sub(1);
    let first = (enter_ms / STEP_MS) as usize;
    for knot in first..last {
        let (begin_ms, end_ms) = ((knot as u64 * STEP_MS) as f64, ((knot as u64 + 1) * STEP_MS) as f64);
        let gain = (speed(knot + 1) - speed(knot)) / STEP_MS as f64;
        let (here, span_ms) = (speed(knot) + gain * (now_ms - begin_ms), end_ms - now_ms);
        let reach_mm = (here + gain * span_ms / 2.0) * span_ms;
        if reach_mm >= left_mm {
            return (now_ms + time_ms(left_mm, here, gain)).ceil() as u64;
        }
        (left_mm, now_ms) = (left_mm - reach_mm, end_ms);
    }
    (now_ms + left_mm / speed(last)).ceil() as u64
}

/// Time for a distance from a speed that grows by `gain`, ms: the root of `v t + g t^2 / 2 = d`, in the form that bears
/// `g` = 0.
fn time_ms(distance_mm: f64, speed: f64, gain: f64) -> f64 {
    2.0 * distance_mm / (speed + (speed * speed + 2.0 * gain * distance_mm).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In steps of 10 ms.
    fn by_small_steps(speeds: &[u32], length_mm: u64, enter_ms: u64) -> f64 {
        let (mut left_mm, mut now_ms) = (length_mm as f64, enter_ms as f64 + 5.0);
        while left_mm > 0.0 {
            let (knot, share) = ((now_ms / STEP_MS as f64) as usize, (now_ms / STEP_MS as f64).fract());
            let at = |k: usize| f64::from(speeds[k.min(speeds.len() - 1)].max(WALK_MM_S));
            left_mm -= (at(knot) * (1.0 - share) + at(knot + 1) * share) / 1000.0 * 10.0;
            now_ms += 10.0;
        }
        now_ms - 5.0
    }

    #[test]
    fn at_a_steady_speed_it_is_length_by_speed_and_nobody_stands_for_ever() {
        assert_eq!(leave_ms(&[10_000; 13], 500_000, 7), 50_007);
        assert_eq!(leave_ms(&[10_000], 500_000, 7_200_000), 7_250_000);
        assert_eq!(leave_ms(&[0; 13], 500_000, 0), 1_000_000);
    }

    proptest! {
        #[test]
        fn it_is_what_small_steps_give(
            speeds in proptest::collection::vec(0_u32..20_000, 13), length_mm in 1_u64..3_000_000, enter_ms in 0_u64..4_000_000,
        ) {
            let (exact, stepped) = (leave_ms(&speeds, length_mm, enter_ms) as f64, by_small_steps(&speeds, length_mm, enter_ms));
            prop_assert!((exact - stepped).abs() <= 12.0, "{} {}", exact, stepped);
        }

        #[test]
        fn who_enters_later_leaves_later(
            speeds in proptest::collection::vec(0_u32..20_000, 13), length_mm in 1_u64..3_000_000,
            enter_ms in 0_u64..4_000_000, later_ms in 0_u64..600_000,
        ) {
            prop_assert!(leave_ms(&speeds, length_mm, enter_ms) <= leave_ms(&speeds, length_mm, enter_ms + later_ms));
        }
    }
}
