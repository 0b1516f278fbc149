//! Which junctions follow common plans.

use nanming_dataflows::network::{City, SignalMode};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Stands for all junctions.
const ALL: &str = "all";

/// How lights are timed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignalsConfig {
    /// Names of junctions in plan mode besides those of the city's file; `all`: every one. The others choose their stages by
    /// themselves, second by second.
    pub plan: Vec<String>,
    /// Names of junctions that choose by themselves although the city's file, or `plan`, has them in plan mode; `all`.
    pub stage: Vec<String>,
}

impl SignalsConfig {
    /// Sets the modes of a city's junctions. An error names what the city does not have.
    pub fn apply(&self, city: &mut City) -> Result<(), ConfigError> {
        for (key, names, mode) in [("plan", &self.plan, SignalMode::Plan), ("stage", &self.stage, SignalMode::Stage)] {
            for name in names {
                let named = city.junctions.iter_mut().filter(|j| name == ALL || j.name == *name);
                let count = named.map(|junction| junction.mode = mode).count();
                if count == 0 && name != ALL {
                    return Err(ConfigError::Value(format!(
                        "signals.{key} names junction '{name}', which the city does not have; `nanming city --out FILE` \
                         writes its junctions with their names"
                    )));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junctions_are_in_plan_mode_by_name_or_all_but_some() {
        let mut city = nanming_simulators::town::small(2, 2, 1);
        let name = |row: usize, city: &City| city.junctions[row].name.clone();
        let modes = |city: &City| city.junctions.iter().map(|j| j.mode).collect::<Vec<_>>();
        let (first, last) = (name(0, &city), name(3, &city));
        let set = |plan: &[&str], stage: &[&str]| SignalsConfig {
            plan: plan.iter().map(ToString::to_string).collect(),
            stage: stage.iter().map(ToString::to_string).collect(),
        };
        use SignalMode::{Plan, Stage};
        set(&[&first], &[]).apply(&mut city).unwrap();
        assert_eq!(modes(&city), [Plan, Stage, Stage, Stage]);
        set(&["all"], &[&last]).apply(&mut city).unwrap();
        assert_eq!(modes(&city), [Plan, Plan, Plan, Stage]);
        set(&[], &["all"]).apply(&mut city).unwrap();
        assert_eq!(modes(&city), [Stage; 4]);
        let error = set(&["nowhere"], &[]).apply(&mut city).unwrap_err().to_string();
        assert!(error.contains("signals.plan names junction 'nowhere'"), "{error}");
    }
}
