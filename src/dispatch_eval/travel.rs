//! How units travel.

/// A place, m east and north.
pub(super) type Place = [f64; 2];

/// How units travel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Travel {
    /// As a city of blocks makes them: the distance east plus that north, at a speed, m/s.
    Straight(f64),
}

impl Travel {
    /// Time between two places, s.
    pub(super) fn time_s(self, from: Place, to: Place) -> f64 {
        let Travel::Straight(m_s) = self;
        ((from[0] - to[0]).abs() + (from[1] - to[1]).abs()) / m_s
    }
}

impl std::fmt::Display for Travel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Travel::Straight(m_s) = self;
        write!(f, "distance east plus north at {m_s} m/s")
    }
}
