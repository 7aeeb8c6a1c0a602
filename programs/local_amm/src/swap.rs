//! swap: exact input from the user's source to the pool, output from the pool to the user's destination.

use crate::{math, pool, pool::Pool, AmmError};
use pinocchio::{
    cpi::{Seed, Signer},
    error::ProgramError,
    AccountView, Address, ProgramResult,
};
use pinocchio_token::{instructions::Transfer, state::Account as TokenAccount};

/// Accounts: pool, user authority (s), user source (w), user destination (w), pool vault in (w), pool vault out (w), token program.
/// Data: amount_in u64, minimum_amount_out u64.
pub fn swap(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let [pool_account, user, source, destination, vault_in, vault_out, token, ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    let (amount_in, minimum_amount_out) = arguments(data)?;
    if token.address() != &pinocchio_token::ID {
        return Err(ProgramError::IncorrectProgramId);
    }
    let pool = Pool::load(program, pool_account)?;
    let forward = vault_in.address() == &pool.vault_a && vault_out.address() == &pool.vault_b;
    let backward = vault_in.address() == &pool.vault_b && vault_out.address() == &pool.vault_a;
    if !forward && !backward {
        return Err(AmmError::WrongVault.into());
    }
    let (reserve_in, reserve_out) = (balance(vault_in)?, balance(vault_out)?);
    let amount_out = math::amount_out(reserve_in, reserve_out, amount_in).ok_or(AmmError::NothingToSwap)?;
    if amount_out < minimum_amount_out {
        return Err(AmmError::SlippageExceeded.into());
    }
    Transfer::new(source, vault_in, user, amount_in).invoke()?;
    let bump = [pool.bump];
    let seeds = [Seed::from(pool::SEED), Seed::from(pool.mint_a.as_ref()), Seed::from(pool.mint_b.as_ref()), Seed::from(&bump)];
    Transfer::new(vault_out, destination, pool_account, amount_out).invoke_signed(&[Signer::from(&seeds)])
}

fn arguments(data: &[u8]) -> Result<(u64, u64), ProgramError> {
    let (first, rest) = data.split_first_chunk::<8>().ok_or(ProgramError::InvalidInstructionData)?;
    let second: &[u8; 8] = rest.try_into().map_err(|_| ProgramError::InvalidInstructionData)?;
    Ok((u64::from_le_bytes(*first), u64::from_le_bytes(*second)))
}

fn balance(vault: &AccountView) -> Result<u64, ProgramError> {
    Ok(TokenAccount::from_account_view(vault)?.amount())
}
