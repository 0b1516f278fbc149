//! Seeds on the command line.

use std::str::FromStr;

/// Seeds in the order in which they are played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// SUMO takes seeds up to this.
const GREATEST: u64 = i32::MAX as u64;
/// So many at most.
const MOST: usize = 1_000;

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u64>().ok().filter(|seed| *seed <= GREATEST);
        let span = |part: &str| match part.split_once('-') {
            Some((first, last)) => Some(number(first)?..=number(last)?),
            None => number(part).map(|seed| seed..=seed),
        };
        let spans = text.split(',').map(span).collect::<Option<Vec<_>>>().unwrap_or_default();
        let seeds: Vec<u64> = spans.into_iter().flatten().take(MOST + 1).collect();
        let wrong = || format!("write seeds such as 1-8 or 1,3,5: at most {MOST}, each up to {GREATEST}");
        if seeds.is_empty() || seeds.len() > MOST { Err(wrong()) } else { Ok(Seeds(seeds)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_lists_are_read() {
        assert_eq!("1-3,7, 9".parse(), Ok(Seeds(vec![1, 2, 3, 7, 9])));
        for wrong in ["", "x", "3-1", "1-", "-1", "1-2000", "9999999999"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
