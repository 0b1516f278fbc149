//! What a unit brings to a call.

use serde::{Deserialize, Serialize};

/// Something that a unit has or can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skill {
    /// A car, to take somebody along or to stop another.
    Car,
    /// A motorcycle, for narrow streets and standing traffic.
    Motorcycle,
    /// Firearms.
    Armed,
    /// First aid and its equipment.
    FirstAid,
    /// An officer who negotiates.
    Negotiator,
    /// A woman officer.
    WomanOfficer,
    /// A dog.
    Dog,
    /// A drone.
    Drone,
    /// An officer who speaks foreign languages.
    Interpreter,
    /// Powers of the traffic police.
    Traffic,
}

/// All of them, in the order of their bits.
pub const SKILLS: [Skill; 10] = [
    Skill::Car,
    Skill::Motorcycle,
    Skill::Armed,
    Skill::FirstAid,
    Skill::Negotiator,
    Skill::WomanOfficer,
    Skill::Dog,
    Skill::Drone,
    Skill::Interpreter,
    Skill::Traffic,
];

/// A set of skills; written as a list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Skill>", from = "Vec<Skill>")]
pub struct Skills(u16);

impl Skills {
    /// None of them.
    pub const NONE: Skills = Skills(0);

    /// Whether all of `needed` are among these.
    pub fn cover(self, needed: Skills) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Those of either.
    pub fn union(self, other: Skills) -> Skills {
        Skills(self.0 | other.0)
    }

    /// As bits, one a skill.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// From bits; those of no skill are left out.
    pub fn from_bits(bits: u16) -> Skills {
        Skills(bits & ((1 << SKILLS.len()) - 1))
    }
}

impl FromIterator<Skill> for Skills {
    fn from_iter<I: IntoIterator<Item = Skill>>(skills: I) -> Skills {
        Skills(skills.into_iter().fold(0, |bits, skill| bits | 1 << skill as u16))
    }
}

impl From<Vec<Skill>> for Skills {
    fn from(skills: Vec<Skill>) -> Skills {
        skills.into_iter().collect()
    }
}

impl From<Skills> for Vec<Skill> {
    fn from(skills: Skills) -> Vec<Skill> {
        SKILLS.into_iter().filter(|skill| skills.0 & (1 << *skill as u16) != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_list_of_skills_and_back() {
        let set: Skills = [Skill::Traffic, Skill::Armed].into_iter().collect();
        let list: Vec<Skill> = set.into();
        assert_eq!(list, [Skill::Armed, Skill::Traffic]);
        assert_eq!(Skills::from(list), set);
        assert!(SKILLS.into_iter().enumerate().all(|(bit, skill)| bit == skill as usize));
        assert!(set.cover([Skill::Armed].into_iter().collect()) && !Skills::default().cover(set));
        assert_eq!(Skills::from_bits(u16::MAX).bits(), 0x3ff);
    }
}
