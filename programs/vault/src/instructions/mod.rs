//! One file an instruction: accounts and checks first, effect last.

mod accept_admin;
mod bot_trade;
mod burn_nonce;
mod close_token_account;
mod close_vault;
mod deactivate_vault;
mod deposit;
mod grant_bot_authority;
mod initialize_config;
mod initialize_vault;
mod pause_vault;
mod recover_trade_account;
mod resume_vault;
mod revoke_bot_authority;
mod set_policy;
mod update_config;
mod withdraw;

pub use accept_admin::accept_admin;
pub use bot_trade::bot_trade;
pub use burn_nonce::burn_nonce;
pub use close_token_account::close_token_account;
pub use close_vault::close_vault;
pub use deactivate_vault::deactivate_vault;
pub use deposit::deposit;
pub use grant_bot_authority::grant_bot_authority;
pub use initialize_config::initialize_config;
pub use initialize_vault::initialize_vault;
pub use pause_vault::pause_vault;
pub use recover_trade_account::recover_trade_account;
pub use resume_vault::resume_vault;
pub use revoke_bot_authority::revoke_bot_authority;
pub use set_policy::set_policy;
pub use update_config::update_config;
pub use withdraw::withdraw;
