//! The vault program. A follower's funds lie in a vault that only its owner can withdraw from; a bot may swap them through an allowed
//! router, inside limits that stand on chain. On the wire it is an Anchor program: discriminators, borsh, error numbers, events.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

extern crate alloc;

pub mod accounts;
pub mod arguments;
mod bounded;
pub mod budget;
pub mod constants;
mod create;
#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entry;
pub mod error;
pub mod events;
mod instructions;
pub mod le;
#[cfg(target_arch = "bpf")]
mod mem;
pub mod nonce;
pub mod route;
mod runtime;
pub mod state;
mod token;

use accounts::Context;
use error::Checked;

/// The first 8 bytes of each instruction, as the little-endian number that they are compared as.
pub mod tag {
    macro_rules! tags {
        ($($name:ident = $first_bytes:literal;)*) => {
            $(pub const $name: u64 = u64::swap_bytes($first_bytes);)*
            /// Every instruction by its name in the interface.
            pub const ALL: &[(&str, u64)] = &[$((stringify!($name), $name)),*];
        };
    }
    tags! {
        INITIALIZE_CONFIG = 0xd07f_1501_c2be_c446;
        UPDATE_CONFIG = 0x1d9e_fcbf_0a53_db63;
        ACCEPT_ADMIN = 0x702a_2d5a_74b5_0daa;
        INITIALIZE_VAULT = 0x30bf_a32c_4781_3fa4;
        DEPOSIT = 0xf223_c689_52e1_f2b6;
        WITHDRAW = 0xb712_469c_946d_a122;
        GRANT_BOT_AUTHORITY = 0x6a6d_214c_621a_f90a;
        REVOKE_BOT_AUTHORITY = 0x6ef5_8d30_82ae_0f8d;
        BOT_TRADE = 0xbc3e_8896_4eab_e732;
        DEACTIVATE_VAULT = 0x9884_16ec_c880_7cae;
        SET_POLICY = 0x2885_0c9d_ebca_0284;
        PAUSE_VAULT = 0xfa06_e439_0668_13d2;
        RESUME_VAULT = 0x4462_550d_1f4c_a632;
        BURN_NONCE = 0xf091_c63f_aad9_5536;
        RECOVER_TRADE_ACCOUNT = 0x66a4_4a58_4da1_192c;
        CLOSE_TOKEN_ACCOUNT = 0x84ac_183c_649c_8761;
        CLOSE_VAULT = 0x8d67_117e_484b_1d1d;
        EVENT = 0xe445_a52e_51cb_9a1d;
    }
}

type Handler = fn(&Context, &[u8]) -> Checked;

/// What each instruction does; those that compute units matter most for come first.
static HANDLERS: [(u64, Handler); 18] = [
    (tag::BOT_TRADE, instructions::bot_trade),
    (tag::EVENT, events::received),
    (tag::DEPOSIT, instructions::deposit),
    (tag::WITHDRAW, instructions::withdraw),
    (tag::INITIALIZE_VAULT, instructions::initialize_vault),
    (tag::GRANT_BOT_AUTHORITY, instructions::grant_bot_authority),
    (tag::REVOKE_BOT_AUTHORITY, instructions::revoke_bot_authority),
    (tag::DEACTIVATE_VAULT, instructions::deactivate_vault),
    (tag::SET_POLICY, instructions::set_policy),
    (tag::PAUSE_VAULT, instructions::pause_vault),
    (tag::RESUME_VAULT, instructions::resume_vault),
    (tag::BURN_NONCE, instructions::burn_nonce),
    (tag::RECOVER_TRADE_ACCOUNT, instructions::recover_trade_account),
    (tag::CLOSE_TOKEN_ACCOUNT, instructions::close_token_account),
    (tag::CLOSE_VAULT, instructions::close_vault),
    (tag::INITIALIZE_CONFIG, instructions::initialize_config),
    (tag::UPDATE_CONFIG, instructions::update_config),
    (tag::ACCEPT_ADMIN, instructions::accept_admin),
];

/// Returns 0 or the error's code. Arguments are read before accounts are looked at; trailing bytes are refused.
pub fn process_instruction(context: &Context, data: &[u8]) -> u64 {
    match dispatched(context, data) {
        Ok(()) => 0,
        Err(fault) => fault.code(),
    }
}

fn dispatched(context: &Context, data: &[u8]) -> Checked {
    let (first, rest) = data.split_first_chunk::<8>().ok_or(error::UNKNOWN_INSTRUCTION)?;
    let first = u64::from_le_bytes(*first);
    let (_, handler) = HANDLERS.iter().find(|(tag, _)| *tag == first).ok_or(error::UNKNOWN_INSTRUCTION)?;
    handler(context, rest)
}
