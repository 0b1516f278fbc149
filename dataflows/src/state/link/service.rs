//! Level of service and the space-mean speed behind it.

use crate::decision::LevelOfService;

/// Level of service of an urban street by travel speed as a share of free-flow speed (Highway Capacity Manual 2010,
/// exhibit 16-4): A above 85 %, B 67, C 50, D 40, E 30.
pub fn level_of_service(speed_mm_s: u32, free_speed_mm_s: u32) -> LevelOfService {
    match u64::from(speed_mm_s) * 100 / u64::from(free_speed_mm_s.max(1)) {
        86.. => LevelOfService::A,
        68..=85 => LevelOfService::B,
        51..=67 => LevelOfService::C,
        41..=50 => LevelOfService::D,
        31..=40 => LevelOfService::E,
        _ => LevelOfService::F,
    }
}

/// Space-mean speed, mm/s: all distance travelled over all time spent (Edie 1963); none when no time was spent.
pub fn space_mean_speed_mm_s(travelled_mm: u64, spent_ms: u64) -> Option<u32> {
    (spent_ms > 0).then(|| (travelled_mm * 1000 / spent_ms).min(u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_the_handbook() {
        let levels: Vec<_> = [20, 12, 9, 8, 6, 5, 0].map(|v| level_of_service(v * 1000, 15_000)).to_vec();
        use LevelOfService::*;
        assert_eq!(levels, [A, B, C, C, E, E, F]);
    }

    #[test]
    fn space_mean_is_below_the_mean_of_speeds() {
        // 100 m at 10 m/s and 100 m at 2 m/s: 200 m in 60 s.
        assert_eq!(space_mean_speed_mm_s(200_000, 60_000), Some(3_333));
        assert_eq!(space_mean_speed_mm_s(0, 0), None);
    }
}
