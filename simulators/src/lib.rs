//! Seeded worlds with ground truth, city imports and recordings. They feed the same door as production.

mod course;
pub mod damage;
pub mod flood;
pub mod guiyang;
pub mod sumo_net;
pub mod town;
pub mod traci;
pub mod world;
