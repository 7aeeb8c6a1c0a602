//! initialize_vault: the signer's vault and its policy with safe defaults. The only instruction that searches addresses.

use crate::{
    accounts::{program, read_config, same, signer, writable, Context},
    arguments,
    constants::*,
    create::{Creation, Derived},
    error::{Checked, ALREADY_INITIALIZED, SEEDS},
    runtime::Clock,
    state::{Policy, Vault},
};
use pinocchio::{AccountView, Address};

#[inline(never)]
pub fn initialize_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, mut vault, mut policy, config, system] = context.take()?;
    signer(&owner)?;
    writable([&owner, &vault, &policy])?;
    program(&system, &SYSTEM_PROGRAM)?;
    let (base_mint, loosening_delay) = {
        let config = read_config(&config, context.program)?;
        (config.base_mint, config.loosening_delay.get())
    };
    let bump = searched(&vault, &[VAULT_SEED, owner.address().as_ref()], context.program)?;
    let policy_bump = searched(&policy, &[POLICY_SEED, vault.address().as_ref()], context.program)?;
    if !vault.owned_by(&SYSTEM_PROGRAM) || !policy.owned_by(&SYSTEM_PROGRAM) {
        return Err(ALREADY_INITIALIZED);
    }
    let (trade_authority, trade_bump) = Address::find_program_address(&[TRADE_SEED, vault.address().as_ref()], context.program);
    let now = Clock::get().unix_timestamp;

    let creation = Creation { program: context.program, payer: &owner };
    creation.make(&vault, Vault::LEN, &Derived { word: VAULT_SEED, key: owner.address().as_ref(), bump })?;
    creation.make(&policy, Policy::LEN, &Derived { word: POLICY_SEED, key: vault.address().as_ref(), bump: policy_bump })?;
    let state = Vault { owner: *owner.address(), total_deposited: 0, bot_authority: None, is_active: true, created_at: now, bump };
    // SAFETY: just made with this length; nothing borrows it.
    unsafe { vault.borrow_unchecked_mut() }.copy_from_slice(&state.bytes());
    // SAFETY: just made with this length and owner; every field is bytes.
    let policy = unsafe { &mut *policy.borrow_unchecked_mut().as_mut_ptr().cast::<Policy>() };
    policy.discriminator = Policy::DISCRIMINATOR;
    policy.version = Policy::VERSION;
    policy.vault = *vault.address();
    policy.base_mint = base_mint;
    policy.trade_authority = trade_authority;
    policy.bump = policy_bump;
    policy.trade_authority_bump = trade_bump;
    policy.spend_per_trade.set(SPEND_PER_TRADE);
    policy.spend_per_day.set(SPEND_PER_DAY);
    policy.loss_per_day.set(LOSS_PER_DAY);
    policy.spend_per_trade_bps.set(SPEND_PER_TRADE_BPS);
    policy.spend_per_day_bps.set(SPEND_PER_DAY_BPS);
    policy.loss_per_day_bps.set(LOSS_PER_DAY_BPS);
    policy.loosening_delay.set(loosening_delay);
    Ok(())
}

#[inline(always)]
fn searched(account: &AccountView, seeds: &[&[u8]], program: &Address) -> Checked<u8> {
    let (address, bump) = Address::find_program_address(seeds, program);
    if same(account.address(), &address) {
        Ok(bump)
    } else {
        Err(SEEDS)
    }
}
