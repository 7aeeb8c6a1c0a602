//! The pool account: which two mints it trades and where it keeps them.
//!
//! Layout: tag 8, mint_a 32, mint_b 32, vault_a 32, vault_b 32, bump 1. Mints are in byte order, so that a pair has one pool.

use crate::AmmError;
use pinocchio::{
    cpi::{Seed, Signer},
    error::ProgramError,
    AccountView, Address, ProgramResult,
};
use pinocchio_system::create_account_with_minimum_balance_signed;
use pinocchio_token::state::{Account as TokenAccount, Mint};

pub const TAG: [u8; 8] = *b"localamm";
pub const LENGTH: usize = 137;
pub const SEED: &[u8] = b"pool";

/// A pool as stored.
pub struct Pool {
    pub mint_a: Address,
    pub mint_b: Address,
    pub vault_a: Address,
    pub vault_b: Address,
    pub bump: u8,
}

impl Pool {
    /// Reads a pool that this program owns.
    pub fn load(program: &Address, account: &AccountView) -> Result<Self, ProgramError> {
        if !account.owned_by(program) {
            return Err(ProgramError::IllegalOwner);
        }
        let data = account.try_borrow()?;
        let stored: &[u8; LENGTH] = (&*data).try_into().map_err(|_| ProgramError::InvalidAccountData)?;
        if !stored.starts_with(&TAG) {
            return Err(ProgramError::InvalidAccountData);
        }
        Ok(Self {
            mint_a: address(stored, 8)?,
            mint_b: address(stored, 40)?,
            vault_a: address(stored, 72)?,
            vault_b: address(stored, 104)?,
            bump: *stored.last().ok_or(ProgramError::InvalidAccountData)?,
        })
    }
}

fn address(stored: &[u8], at: usize) -> Result<Address, ProgramError> {
    let bytes = stored.get(at..at + 32).ok_or(ProgramError::InvalidAccountData)?;
    Ok(Address::new_from_array(bytes.try_into().map_err(|_| ProgramError::InvalidAccountData)?))
}

/// Accounts: payer (s, w), pool (w), mint_a, mint_b, vault_a, vault_b, system program. The vaults are token accounts of the pool.
pub fn initialize(program: &Address, accounts: &mut [AccountView]) -> ProgramResult {
    let [payer, pool, mint_a, mint_b, vault_a, vault_b, system, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    if system.address() != &pinocchio_system::ID {
        return Err(ProgramError::IncorrectProgramId);
    }
    if mint_a.address().as_array() >= mint_b.address().as_array() {
        return Err(AmmError::WrongMint.into());
    }
    Mint::from_account_view(mint_a)?;
    Mint::from_account_view(mint_b)?;
    for (vault, mint) in [(&*vault_a, &*mint_a), (&*vault_b, &*mint_b)] {
        let held = TokenAccount::from_account_view(vault)?;
        if held.owner() != pool.address() || held.mint() != mint.address() || held.has_delegate() || held.has_close_authority() {
            return Err(AmmError::WrongVault.into());
        }
    }
    let (expected, bump) = Address::find_program_address(&[SEED, mint_a.address().as_ref(), mint_b.address().as_ref()], program);
    if pool.address() != &expected {
        return Err(AmmError::WrongPool.into());
    }
    let bump_seed = [bump];
    let seeds = [Seed::from(SEED), Seed::from(mint_a.address().as_ref()), Seed::from(mint_b.address().as_ref()), Seed::from(&bump_seed)];
    create_account_with_minimum_balance_signed(pool, LENGTH, program, payer, None, &[Signer::from(&seeds)])?;
    let mut stored = [0u8; LENGTH];
    let parts: [&[u8]; 6] =
        [&TAG, mint_a.address().as_ref(), mint_b.address().as_ref(), vault_a.address().as_ref(), vault_b.address().as_ref(), &bump_seed];
    let mut rest = &mut stored[..];
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    pool.try_borrow_mut()?.copy_from_slice(&stored);
    Ok(())
}
