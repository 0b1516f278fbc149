//! Seeded worlds with ground truth, city imports and recordings. They feed the same door as production.
