//! Router of the local chain. It stands at Jupiter's address there and takes Jupiter's `route_v2` and `shared_accounts_route_v2` to the byte,
//! so that vault, bot and decoder meet the same wire format as on mainnet. It walks one or two hops through the local pool program.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

mod accounts;
mod event;
#[cfg(target_arch = "bpf")]
mod mem;
pub mod plan;
mod walk;

use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entry {
    pinocchio::program_entrypoint!(super::process_instruction, 64);
    pinocchio::default_allocator!();
    pinocchio::nostd_panic_handler!();
}

/// Jupiter's error numbers where one fits, our own above 6900.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum RouterError {
    SlippageToleranceExceeded = 6001,
    NotEnoughAccountKeys = 6008,
    InvalidTokenAccount = 6025,
    /// The plan asks for what this router cannot do: another venue, a split, more than two hops, a fee.
    UnsupportedPlan = 6900,
    /// An account stands in another's slot.
    WrongAccount = 6901,
}

impl From<RouterError> for ProgramError {
    fn from(error: RouterError) -> Self {
        ProgramError::Custom(error as u32)
    }
}

/// The three instructions: both routes, and the event that the router sends to itself.
pub fn process_instruction(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    if data.starts_with(&event::TAG) {
        return event::received(program, accounts);
    }
    let plan = plan::Plan::parse(data)?;
    walk::route(program, accounts, &plan)
}
