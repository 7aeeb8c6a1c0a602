//! The program's accounts, one a file. Their layouts are the interface's; a host test compares every offset.

mod config;
mod policy;
mod vault;

pub use config::Config;
pub use policy::{Limit, PendingValue, Policy, PositionSlot, ALLOWLIST, ANY_MINT, LIMITS, SLOTS};
pub use vault::Vault;
