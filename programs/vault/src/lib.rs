//! The vault program. A follower's funds lie in a vault that only its owner can withdraw from; a bot may swap them through an allowed
//! router, inside limits that stand on chain. On the wire it is an Anchor program: discriminators, borsh, error numbers, events.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

pub mod accounts;
pub mod arguments;
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
mod scratch;
pub mod state;
mod token;
mod watch;

use accounts::{Context, Shape, Unchecked, OF_OWNER, OWNED, POLICY, SIGNED, VAULT};
use arguments::Reader;
use error::{require, Checked, BAD_ARGUMENTS, UNKNOWN_INSTRUCTION};
use pinocchio::{AccountView, Address};

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

/// An instruction: what it must be called with, and what it does.
struct Instruction {
    tag: u64,
    run: Run,
    shape: Shape,
}

/// Arguments are read before accounts are looked at; trailing bytes are refused.
#[derive(Clone, Copy)]
enum Run {
    /// Of arguments that always have so many bytes: they are counted, then the accounts are checked.
    Fixed(u8, fn(&Context, &mut Reader) -> Checked),
    /// Of arguments that it reads to their end itself, before it has the accounts checked.
    Varies(fn(&Unchecked, &mut Reader) -> Checked),
}
use Run::{Fixed, Varies};

#[allow(clippy::indexing_slicing)] // at compile time
const fn known(tag: u64, run: Run, accounts: u8, written: &[u8], checks: u8, config: u8) -> Instruction {
    let (mut bits, mut at) = (0, 0);
    while at < written.len() {
        bits |= 1 << written[at];
        at += 1;
    }
    Instruction { tag, run, shape: Shape { accounts, written: bits, checks, config } }
}

const AMOUNT: u8 = 8;
const GUARD: u8 = 24;
const OF_BOT: u8 = SIGNED | VAULT | POLICY;

/// Accounts, which of them must be writable, what is checked, where Config stands (0: nowhere). Those that compute units matter most for
/// come first.
static INSTRUCTIONS: [Instruction; 18] = [
    known(tag::SET_POLICY, Varies(instructions::set_policy), 3, &[2], OF_OWNER, 0),
    known(tag::BOT_TRADE, Varies(instructions::bot_trade), 15, &[2, 5, 6, 7, 8], OF_BOT, 3),
    known(tag::EVENT, Varies(events::received), 1, &[], SIGNED, 0),
    known(tag::DEPOSIT, Fixed(AMOUNT, instructions::deposit), 8, &[1, 4, 5], OF_OWNER, 3),
    known(tag::WITHDRAW, Fixed(AMOUNT, instructions::withdraw), 7, &[1, 2, 3, 4], OF_OWNER, 0),
    known(tag::RECOVER_TRADE_ACCOUNT, Fixed(0, instructions::recover_trade_account), 7, &[0, 2, 3, 4], SIGNED | VAULT | OWNED, 0),
    known(tag::INITIALIZE_VAULT, Fixed(0, instructions::initialize_vault), 5, &[0, 1, 2], SIGNED, 3),
    known(tag::GRANT_BOT_AUTHORITY, Fixed(0, instructions::grant_bot_authority), 4, &[1, 2], OF_OWNER, 0),
    known(tag::REVOKE_BOT_AUTHORITY, Fixed(0, instructions::revoke_bot_authority), 3, &[1, 2], OF_OWNER, 0),
    known(tag::DEACTIVATE_VAULT, Fixed(0, instructions::deactivate_vault), 3, &[1, 2], OF_OWNER, 0),
    known(tag::PAUSE_VAULT, Fixed(0, instructions::pause_vault), 3, &[2], OF_BOT, 0),
    known(tag::RESUME_VAULT, Fixed(0, instructions::resume_vault), 3, &[2], OF_OWNER, 0),
    known(tag::BURN_NONCE, Fixed(GUARD, instructions::burn_nonce), 3, &[2], OF_BOT, 0),
    known(tag::CLOSE_TOKEN_ACCOUNT, Fixed(0, instructions::close_token_account), 5, &[0, 3], SIGNED | VAULT | OWNED, 0),
    known(tag::CLOSE_VAULT, Fixed(0, instructions::close_vault), 3, &[0, 1, 2], OF_OWNER, 0),
    known(tag::INITIALIZE_CONFIG, Fixed(80, instructions::initialize_config), 6, &[0, 2], SIGNED, 0),
    known(tag::UPDATE_CONFIG, Varies(instructions::update_config), 2, &[1], SIGNED, 1),
    known(tag::ACCEPT_ADMIN, Fixed(0, instructions::accept_admin), 2, &[1], SIGNED, 1),
];

/// Returns 0 or the error's code.
pub fn process_instruction(program: &Address, accounts: &[AccountView], data: &[u8]) -> u64 {
    match dispatched(program, accounts, data) {
        Ok(()) => 0,
        Err(fault) => fault.code(),
    }
}

fn dispatched(program: &Address, accounts: &[AccountView], data: &[u8]) -> Checked {
    let (first, rest) = data.split_first_chunk::<8>().ok_or(UNKNOWN_INSTRUCTION)?;
    let first = u64::from_le_bytes(*first);
    let instruction = INSTRUCTIONS.iter().find(|known| known.tag == first).ok_or(UNKNOWN_INSTRUCTION)?;
    let unchecked = Unchecked::of(program, accounts, &instruction.shape);
    let mut arguments = Reader::new(rest);
    match instruction.run {
        Fixed(bytes, run) => {
            require(usize::from(bytes) == rest.len(), BAD_ARGUMENTS)?;
            run(unchecked.check()?, &mut arguments)
        }
        Varies(run) => run(&unchecked, &mut arguments),
    }
}
