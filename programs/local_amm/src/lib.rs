//! Constant-product pool of the local chain, for any pair of classic SPL mints. Reserves are the balances of the pool's two vaults:
//! whoever transfers tokens to them gives liquidity away, and nothing but a swap takes any out. 30 basis points of each input stay.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

pub mod math;
#[cfg(target_arch = "bpf")]
mod mem;
mod pool;
mod swap;

use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entry {
    pinocchio::program_entrypoint!(super::process_instruction, 32);
    pinocchio::default_allocator!();
    pinocchio::nostd_panic_handler!();
}

/// Errors of this program, as custom codes.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum AmmError {
    /// The mints are the same, out of order, or not those of the pool.
    WrongMint = 1,
    /// A vault is not the pool's.
    WrongVault = 2,
    /// The output is below the caller's minimum.
    SlippageExceeded = 3,
    /// An amount of zero, or a pool without reserves.
    NothingToSwap = 4,
    /// The pool's address is not the one its mints give.
    WrongPool = 5,
    /// Amounts do not fit.
    Overflow = 6,
}

impl From<AmmError> for ProgramError {
    fn from(error: AmmError) -> Self {
        ProgramError::Custom(error as u32)
    }
}

/// First byte 0: create a pool. First byte 1: swap.
pub fn process_instruction(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    match data.split_first() {
        Some((0, [])) => pool::initialize(program, accounts),
        Some((1, rest)) => swap::swap(program, accounts, rest),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}
