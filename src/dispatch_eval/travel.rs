//! How units travel.

use std::path::PathBuf;

use super::DispatchEvalError;
use super::calls::Calls;
use super::roads::Roads;

/// A place, m east and north.
pub(super) type Place = [f64; 2];

/// How units are to travel.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// As a city of blocks makes them: the distance east plus that north, at a speed, m/s.
    Straight(f64),
    /// Over a road graph: a table of its nodes and one of its arcs.
    Roads(PathBuf, PathBuf),
}

/// How units travel.
pub(super) enum Travel {
    Straight(f64),
    Roads(Box<Roads>),
}

impl Travel {
    /// Reads the roads, if any, that calls are on.
    pub(super) fn new(by: &By, calls: &Calls) -> Result<Travel, DispatchEvalError> {
        Ok(match by {
            By::Straight(m_s) => Travel::Straight(*m_s),
            By::Roads(nodes, arcs) => Travel::Roads(Box::new(Roads::read(nodes, arcs, calls)?)),
        })
    }

    /// Time from each of some places to another, s.
    pub(super) fn times_s(&self, from: &[Place], to: Place) -> Vec<f64> {
        match self {
            Travel::Straight(m_s) => from.iter().map(|from| blocks_m(*from, to) / m_s).collect(),
            Travel::Roads(roads) => roads.times_s(from, to),
        }
    }

    /// Time between two places, s.
    pub(super) fn time_s(&self, from: Place, to: Place) -> f64 {
        match self {
            Travel::Straight(m_s) => blocks_m(from, to) / m_s,
            Travel::Roads(roads) => roads.times_s(&[from], to)[0],
        }
    }
}

/// The distance east plus that north, m.
pub(super) fn blocks_m(from: Place, to: Place) -> f64 {
    (from[0] - to[0]).abs() + (from[1] - to[1]).abs()
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            By::Straight(m_s) => write!(f, "distance east plus north at {m_s} m/s"),
            By::Roads(nodes, arcs) => write!(f, "roads of {} and {}", nodes.display(), arcs.display()),
        }
    }
}
