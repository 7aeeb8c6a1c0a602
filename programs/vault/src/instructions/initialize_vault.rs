//! initialize_vault: makes the signer's vault and its policy, with safe defaults.

use crate::{
    accounts::{is_of, new_in_place, same, set, Context},
    arguments::Reader,
    constants::*,
    create::{make, Derived},
    error::{require, Checked, ALREADY_INITIALIZED, OTHER_PROGRAM},
    runtime,
    state::{Policy, Vault},
};

const VAULT: u8 = 1;
const POLICY: u8 = 2;

#[inline(never)]
pub fn initialize_vault(context: &Context, _: &mut Reader) -> Checked {
    let (owner, vault, policy) = (context.at(0), context.at(1), context.at(2));
    require(same(context.at(4).address(), &SYSTEM_PROGRAM), OTHER_PROGRAM)?;
    let mut of_vault = Derived::of(&VAULT_SEED, owner.address());
    let mut of_policy = Derived::of(&POLICY_SEED, vault.address());
    of_vault.check(vault.address(), context.program)?;
    of_policy.check(policy.address(), context.program)?;
    require(is_of(vault, &SYSTEM_PROGRAM) && is_of(policy, &SYSTEM_PROGRAM), ALREADY_INITIALIZED)?;

    make(context, VAULT, Vault::LEN, &of_vault)?;
    make(context, POLICY, Policy::LEN, &of_policy)?;
    new_in_place::<Vault>(vault).begin(owner.address(), runtime::now(), of_vault.bump);
    let state = new_in_place::<Policy>(policy);
    let mut of_trade = Derived::of(&TRADE_SEED, vault.address());
    of_trade.find(context.program, &mut state.trade_authority);
    state.trade_authority_bump = of_trade.bump;
    state.bump = of_policy.bump;
    set(&mut state.vault, vault.address());
    let config = context.config();
    set(&mut state.base_mint, &config.base_mint);
    state.loosening_delay = config.loosening_delay;
    state.begin();
    Ok(())
}
