//! initialize_config: makes the one Config. Anyone but the program's upgrade authority is refused, so a stranger cannot be first.

use super::update_config::{check_cap, check_delay};
use crate::{
    accounts::{is_of, new_in_place, program, same, set, signer, Context},
    arguments::Reader,
    constants::*,
    create::{Creation, Derived},
    error::{Checked, VaultError, ALREADY_INITIALIZED},
    state::Config,
    token,
};
use pinocchio::{AccountView, Address};

const PROGRAM_DATA_KIND: [u8; 4] = 3u32.to_le_bytes();

#[inline(never)]
pub fn initialize_config(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    let (admin, guardian, vault_cap, delay) = (reader.address(), reader.address(), reader.u64(), reader.i64());
    reader.end()?;
    let [payer, authority, config, base_mint, program_data, system] = context.take(&[0, 2])?;
    signer(payer)?;
    signer(authority)?;
    program(system, &SYSTEM_PROGRAM)?;
    is_upgrade_authority(authority, program_data, context.program)?;
    let mut derived = Derived { word: CONFIG_SEED, key: &[], bump: 0 };
    derived.check(config, context.program)?;
    if !is_of(config, &SYSTEM_PROGRAM) {
        return Err(ALREADY_INITIALIZED);
    }
    if token::mint_decimals(base_mint, &TOKEN_PROGRAM)? != BASE_MINT_DECIMALS {
        return Err(VaultError::InvalidMint.into());
    }
    check_cap(vault_cap)?;
    check_delay(delay)?;
    // Nobody could sign for it.
    if same(admin, &SYSTEM_PROGRAM) {
        return Err(VaultError::PolicyValueInvalid.into());
    }

    Creation { program: context.program, payer }.make(config, Config::LEN, &derived)?;
    let state = new_in_place::<Config>(config);
    state.discriminator = Config::DISCRIMINATOR;
    state.version = Config::VERSION;
    state.bump = derived.bump;
    state.routers = ROUTERS_MASK;
    set(&mut state.admin, admin);
    set(&mut state.guardian, guardian);
    set(&mut state.base_mint, base_mint.address());
    state.vault_cap.set(vault_cap);
    state.loosening_delay.set(delay);
    Ok(())
}

/// The loader's account of a program: kind u32, slot u64, a flag and the upgrade authority when there is one.
#[repr(C)]
struct ProgramData {
    kind: [u8; 4],
    slot: [u8; 8],
    has_authority: u8,
    authority: Address,
}

fn is_upgrade_authority(authority: &AccountView, program_data: &AccountView, program: &Address) -> Checked {
    let mut derived = Derived { word: program.as_ref(), key: &[], bump: 0 };
    derived.check(program_data, &UPGRADEABLE_LOADER).map_err(|_| VaultError::NotUpgradeAuthority)?;
    if is_of(program_data, &UPGRADEABLE_LOADER) && program_data.data_len() >= size_of::<ProgramData>() {
        // SAFETY: as long as that, and every field is bytes; this program never borrows that account mutably.
        let head = unsafe { &*program_data.data_ptr().cast::<ProgramData>() };
        if head.kind == PROGRAM_DATA_KIND && head.has_authority == 1 && same(&head.authority, authority.address()) {
            return Ok(());
        }
    }
    Err(VaultError::NotUpgradeAuthority.into())
}
