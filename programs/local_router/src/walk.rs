//! Walks the hops, measures what arrived from account data, and holds the caller to his floor.

use crate::{
    accounts::{Slots, STEP_ACCOUNTS},
    event::{self, SwapEvent},
    plan::Plan,
    RouterError,
};
use pinocchio::{
    cpi::{invoke_signed, set_return_data, Seed, Signer},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};
use pinocchio_token::{instructions::Transfer, state::Account as TokenAccount};

const AUTHORITY_SEED: &[u8] = b"authority";
const SWAP: u8 = 1;

/// Executes `plan`. The out amount is return data.
pub fn route(program: &Address, accounts: &mut [AccountView], plan: &Plan) -> ProgramResult {
    let (slots, steps) = Slots::parse(program, accounts, plan.shared_id.is_some())?;
    let before = balance(slots.destination)?;
    match (&slots.shared, plan.shared_id) {
        (Some((authority, inner_source, inner_destination)), Some(id)) => {
            Transfer::new(slots.source, inner_source, slots.user, plan.in_amount).invoke()?;
            let (id_seed, bump_seed) = ([id], [shared_bump(program, authority, id)?]);
            let seeds = [Seed::from(AUTHORITY_SEED), Seed::from(&id_seed), Seed::from(&bump_seed)];
            let signers = [Signer::from(&seeds)];
            let walker = Walker {
                program,
                owner: authority,
                event_authority: slots.event_authority,
                signers: &signers,
                source: inner_source,
                destination: inner_destination,
            };
            let out = walker.walk(plan, steps)?;
            Transfer::new(inner_destination, slots.destination, authority, out).invoke_signed(walker.signers)?;
        }
        _ => {
            let walker = Walker {
                program,
                owner: slots.user,
                event_authority: slots.event_authority,
                signers: &[],
                source: slots.source,
                destination: slots.destination,
            };
            walker.walk(plan, steps)?;
        }
    }
    let out = balance(slots.destination)?.checked_sub(before).ok_or(RouterError::InvalidTokenAccount)?;
    if out < plan.out_amount_min() {
        return Err(RouterError::SlippageToleranceExceeded.into());
    }
    set_return_data(&out.to_le_bytes());
    Ok(())
}

struct Walker<'a> {
    program: &'a Address,
    /// Owns every token account that the hops pass through.
    owner: &'a AccountView,
    event_authority: &'a AccountView,
    signers: &'a [Signer<'a, 'a>],
    source: &'a AccountView,
    destination: &'a AccountView,
}

impl Walker<'_> {
    /// Each hop's input is the whole output of the hop before. Returns the last output.
    fn walk(&self, plan: &Plan, steps: &[AccountView]) -> Result<u64, ProgramError> {
        let mut amount = plan.in_amount;
        let mut from = self.source.address();
        let mut rest = steps;
        let mut left = plan.hops;
        while left > 0 {
            left -= 1;
            let (step, tail) = rest.split_first_chunk::<STEP_ACCOUNTS>().ok_or(RouterError::NotEnoughAccountKeys)?;
            let hop_to = &step[4];
            if step[3].address() != from || (left == 0 && hop_to.address() != self.destination.address()) {
                return Err(RouterError::WrongAccount.into());
            }
            amount = self.hop(step, amount)?;
            from = hop_to.address();
            rest = tail;
        }
        Ok(amount)
    }

    /// One swap through the pool program: program, pool, owner, source, destination, vault in, vault out, token program.
    fn hop(&self, step: &[AccountView; STEP_ACCOUNTS], amount: u64) -> Result<u64, ProgramError> {
        let [amm, pool, owner, source, destination, vault_in, vault_out, token] = step;
        if owner.address() != self.owner.address() {
            return Err(RouterError::WrongAccount.into());
        }
        let (input_mint, output_mint) = (mint(source)?, mint(destination)?);
        let before = balance(destination)?;
        let mut data = [0u8; 17];
        data[0] = SWAP;
        data[1..9].copy_from_slice(&amount.to_le_bytes());
        let metas = [
            InstructionAccount::readonly(pool.address()),
            InstructionAccount::readonly_signer(owner.address()),
            InstructionAccount::writable(source.address()),
            InstructionAccount::writable(destination.address()),
            InstructionAccount::writable(vault_in.address()),
            InstructionAccount::writable(vault_out.address()),
            InstructionAccount::readonly(token.address()),
        ];
        let instruction = InstructionView { program_id: amm.address(), accounts: &metas, data: &data };
        invoke_signed(&instruction, &[pool, owner, source, destination, vault_in, vault_out, token], self.signers)?;
        let out = balance(destination)?.checked_sub(before).ok_or(RouterError::InvalidTokenAccount)?;
        let event =
            SwapEvent { amm: amm.address(), input_mint: &input_mint, input_amount: amount, output_mint: &output_mint, output_amount: out };
        event::emit(self.program, self.event_authority, &event)?;
        Ok(out)
    }
}

fn shared_bump(program: &Address, authority: &AccountView, id: u8) -> Result<u8, ProgramError> {
    let (expected, bump) = Address::find_program_address(&[AUTHORITY_SEED, &[id]], program);
    if authority.address() != &expected {
        return Err(RouterError::WrongAccount.into());
    }
    Ok(bump)
}

fn balance(account: &AccountView) -> Result<u64, ProgramError> {
    Ok(TokenAccount::from_account_view(account).map_err(|_| RouterError::InvalidTokenAccount)?.amount())
}

fn mint(account: &AccountView) -> Result<Address, ProgramError> {
    Ok(*TokenAccount::from_account_view(account).map_err(|_| RouterError::InvalidTokenAccount)?.mint())
}
