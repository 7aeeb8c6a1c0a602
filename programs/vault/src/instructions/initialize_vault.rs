//! initialize_vault: the signer's vault and its policy with safe defaults. The only instruction that searches addresses.

use crate::{
    accounts::{is_of, new_in_place, program, read_config, set, signer, Context},
    arguments,
    constants::*,
    create::{Creation, Derived},
    error::{Checked, ALREADY_INITIALIZED},
    runtime,
    state::{Policy, Vault},
};

#[inline(never)]
pub fn initialize_vault(context: &Context, data: &[u8]) -> Checked {
    arguments::none(data)?;
    let [owner, vault, policy, config, system] = context.take(&[0, 1, 2])?;
    signer(owner)?;
    program(system, &SYSTEM_PROGRAM)?;
    let config = read_config(config, context.program)?;
    let mut of_vault = Derived::of(VAULT_SEED, owner.address());
    let mut of_policy = Derived::of(POLICY_SEED, vault.address());
    of_vault.check(vault, context.program)?;
    of_policy.check(policy, context.program)?;
    if !is_of(vault, &SYSTEM_PROGRAM) || !is_of(policy, &SYSTEM_PROGRAM) {
        return Err(ALREADY_INITIALIZED);
    }

    let creation = Creation { program: context.program, payer: owner };
    creation.make(vault, Vault::LEN, &of_vault)?;
    creation.make(policy, Policy::LEN, &of_policy)?;
    new_in_place::<Vault>(vault).begin(owner.address(), runtime::now(), of_vault.bump);
    let state = new_in_place::<Policy>(policy);
    let mut of_trade = Derived::of(TRADE_SEED, vault.address());
    of_trade.find(context.program, &mut state.trade_authority);
    state.trade_authority_bump = of_trade.bump;
    state.bump = of_policy.bump;
    set(&mut state.vault, vault.address());
    set(&mut state.base_mint, &config.base_mint);
    state.loosening_delay = config.loosening_delay;
    state.begin();
    Ok(())
}
