//! initialize_config: makes the one Config. Anyone but the program's upgrade authority is refused, so a stranger cannot be first.

use crate::{
    accounts::{program, same, signer, writable, Context},
    arguments::Reader,
    constants::*,
    create::{Creation, Derived},
    error::{Checked, VaultError, ALREADY_INITIALIZED, SEEDS},
    state::Config,
    token,
};
use pinocchio::{AccountView, Address};

/// The loader's account of a program: kind 3, slot, option of the upgrade authority.
const PROGRAM_DATA_KIND: [u8; 4] = 3u32.to_le_bytes();

#[inline(never)]
pub fn initialize_config(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    let (admin, guardian, vault_cap, delay) = (reader.address(), reader.address(), reader.u64(), reader.i64());
    reader.end()?;
    let [payer, authority, mut config, base_mint, program_data, system] = context.take()?;
    signer(&payer)?;
    signer(&authority)?;
    writable([&payer, &config])?;
    program(&system, &SYSTEM_PROGRAM)?;
    is_upgrade_authority(&authority, &program_data, context.program)?;
    let (address, bump) = Address::find_program_address(&[CONFIG_SEED], context.program);
    if !same(config.address(), &address) {
        return Err(SEEDS);
    }
    if !config.owned_by(&SYSTEM_PROGRAM) {
        return Err(ALREADY_INITIALIZED);
    }
    if token::mint_decimals(&base_mint, &TOKEN_PROGRAM)? != BASE_MINT_DECIMALS {
        return Err(VaultError::InvalidMint.into());
    }
    check_values(&admin, vault_cap, delay)?;

    let creation = Creation { program: context.program, payer: &payer };
    creation.make(&config, Config::LEN, &Derived { word: CONFIG_SEED, key: &[], bump })?;
    // SAFETY: just made with this length and owner; every field is bytes.
    let state = unsafe { &mut *config.borrow_unchecked_mut().as_mut_ptr().cast::<Config>() };
    state.discriminator = Config::DISCRIMINATOR;
    state.version = Config::VERSION;
    state.bump = bump;
    state.routers = ROUTERS_MASK;
    state.admin = admin;
    state.guardian = guardian;
    state.base_mint = *base_mint.address();
    state.vault_cap.set(vault_cap);
    state.loosening_delay.set(delay);
    Ok(())
}

fn is_upgrade_authority(authority: &AccountView, program_data: &AccountView, program: &Address) -> Checked {
    let (address, _) = Address::find_program_address(&[program.as_ref()], &UPGRADEABLE_LOADER);
    let is_ours = same(program_data.address(), &address) && program_data.owned_by(&UPGRADEABLE_LOADER);
    // SAFETY: this program never borrows that account mutably.
    let data = unsafe { program_data.borrow_unchecked() };
    match data.first_chunk::<45>() {
        Some(head) if is_ours && head[..4] == PROGRAM_DATA_KIND && head[12] == 1 && head[13..] == *authority.address().as_ref() => Ok(()),
        _ => Err(VaultError::NotUpgradeAuthority.into()),
    }
}

fn check_values(admin: &Address, vault_cap: u64, delay: i64) -> Checked<()> {
    if vault_cap > DEPOSIT_CEILING {
        return Err(VaultError::DepositCapExceeded.into());
    }
    let is_delay_allowed = (LOOSENING_DELAY_SECONDS_MIN..=LOOSENING_DELAY_SECONDS_MAX).contains(&delay);
    if !is_delay_allowed || same(admin, &Address::default()) {
        return Err(VaultError::PolicyValueInvalid.into());
    }
    Ok(())
}
