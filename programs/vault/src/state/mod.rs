//! The program's accounts, one a file. Their layouts are the interface's; a host test compares every offset.

mod config;
mod limits;
mod policy;
mod position;
mod vault;

pub use config::Config;
pub use limits::{Limit, PendingValue, BOT_EXPIRES_AT, LIMITS};
pub use policy::{Policy, ALLOWLIST, ANY_MINT};
pub use position::{Mints, PositionSlot, MINTS_A_CALL_MAX, SLOTS};
pub use vault::Vault;
