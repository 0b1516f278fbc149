//! Typed identifiers. Those of the city are dense: an ID is the index of its row in the [`City`](crate::network::City).

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The row of this ID in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
            /// The ID of a row.
            pub fn from_index(index: usize) -> Self {
                $name(index as $inner)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl crate::keyed::Key for $name {
            fn route(&self) -> u64 {
                crate::keyed::spread(u64::from(self.0))
            }
        }
    )*};
}

ids! {
    /// A point where links meet.
    NodeId(u32);
    /// One direction of a street between two nodes.
    LinkId(u32);
    /// A lane of a link.
    LaneId(u32);
    /// A signal controller and what it governs.
    JunctionId(u32);
    /// A way from a lane into a lane of another link.
    MovementId(u32);
    /// A camera or another fixed sensor.
    CameraId(u32);
    /// A patrol grid (beat).
    GridId(u16);
    /// A district of the city: the unit of labels on metrics.
    DistrictId(u16);
    /// A dispatch region: units of one region serve its calls.
    RegionId(u16);
    /// A patrol unit.
    UnitId(u32);
    /// A place where crowds gather.
    VenueId(u32);
    /// A building site.
    SiteId(u32);
    /// A site supervisor.
    SupervisorId(u32);
    /// A bus line.
    BusLineId(u32);
    /// A bus.
    BusId(u32);
    /// A call for service.
    CallId(u64);
    /// A vehicle, as the keyed hash of its plate; 0 where no plate was read.
    VehicleId(u64);
    /// A roster of persons who are no patrol units.
    RosterId(u16);
    /// A person of a roster.
    PersonId(u32);
    /// A place that a roster looks after.
    PointId(u32);
    /// A task of a roster.
    TaskId(u64);
    /// A case under handling.
    CaseId(u64);
}
