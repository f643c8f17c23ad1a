//! Story 3: a shop, its customers, and what its dumps look like when they are sold and sold again.

pub mod customers;
pub mod forms;
