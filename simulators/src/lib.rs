//! Seeded worlds with ground truth, city imports and recordings. They feed the same door as production.

pub mod controller;
mod course;
pub mod damage;
pub mod flood;
pub mod gbt20999;
pub mod guiyang;
pub mod sumo_net;
pub mod town;
pub mod traci;
pub mod world;
