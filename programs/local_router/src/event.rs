//! Jupiter's swap event, sent by the router to itself so that it stands among the inner instructions, where log truncation cannot reach it.

use crate::RouterError;
use pinocchio::{
    cpi::{invoke_signed, Seed, Signer},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

pub const TAG: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];
const SWAP_EVENT: [u8; 8] = [0x40, 0xc6, 0xcd, 0xe8, 0x26, 0x08, 0x71, 0xe2];
const SEED: &[u8] = b"__event_authority";
const LENGTH: usize = 128;

/// One executed hop.
pub struct SwapEvent<'a> {
    pub amm: &'a Address,
    pub input_mint: &'a Address,
    pub input_amount: u64,
    pub output_mint: &'a Address,
    pub output_amount: u64,
}

/// Sends the event. The authority must be the router's own.
pub fn emit(program: &Address, authority: &AccountView, event: &SwapEvent) -> ProgramResult {
    let (expected, bump) = Address::find_program_address(&[SEED], program);
    if authority.address() != &expected {
        return Err(RouterError::WrongAccount.into());
    }
    let mut data = [0u8; LENGTH];
    let (input, output) = (event.input_amount.to_le_bytes(), event.output_amount.to_le_bytes());
    let parts: [&[u8]; 7] = [&TAG, &SWAP_EVENT, event.amm.as_ref(), event.input_mint.as_ref(), &input, event.output_mint.as_ref(), &output];
    let mut rest = &mut data[..];
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    let metas = [InstructionAccount::readonly_signer(authority.address())];
    let bump = [bump];
    let seeds = [Seed::from(SEED), Seed::from(&bump)];
    invoke_signed(&InstructionView { program_id: program, accounts: &metas, data: &data }, &[authority], &[Signer::from(&seeds)])
}

/// The receiving end: does nothing, but only for the router itself.
pub fn received(program: &Address, accounts: &[AccountView]) -> ProgramResult {
    let (expected, _) = Address::find_program_address(&[SEED], program);
    match accounts {
        [authority, ..] if authority.is_signer() && authority.address() == &expected => Ok(()),
        _ => Err(ProgramError::MissingRequiredSignature),
    }
}
