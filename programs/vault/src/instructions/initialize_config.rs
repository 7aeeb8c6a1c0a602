//! initialize_config: makes the one Config. Anyone but the program's upgrade authority is refused, so a stranger cannot be first.

use super::update_config::{check_cap, check_delay};
use crate::{
    accounts::{is_of, new_in_place, same, set, Context},
    arguments::Reader,
    constants::*,
    create::{make, Derived},
    error::{require, Checked, VaultError, ALREADY_INITIALIZED, NOT_SIGNER, OTHER_PROGRAM},
    state::Config,
    token,
};
use pinocchio::{AccountView, Address};

const CONFIG: u8 = 2;
const PROGRAM_DATA_KIND: [u8; 4] = 3u32.to_le_bytes();

#[inline(never)]
pub fn initialize_config(context: &Context, arguments: &mut Reader) -> Checked {
    let (authority, config, base_mint) = (context.at(1), context.at(2), context.at(3));
    require(authority.is_signer(), NOT_SIGNER)?;
    require(same(context.at(5).address(), &SYSTEM_PROGRAM), OTHER_PROGRAM)?;
    require(is_upgrade_authority(authority, context.at(4), context.program), VaultError::NotUpgradeAuthority)?;
    let mut derived = Derived { word: &CONFIG_SEED, key: None, bump: 0 };
    derived.check(config.address(), context.program)?;
    require(is_of(config, &SYSTEM_PROGRAM), ALREADY_INITIALIZED)?;
    require(token::mint_decimals(base_mint, &TOKEN_PROGRAM)? == BASE_MINT_DECIMALS, VaultError::InvalidMint)?;

    make(context, CONFIG, Config::LEN, &derived)?;
    let state = new_in_place::<Config>(config);
    state.begin(derived.bump);
    arguments.copy(state.admin.as_mut());
    arguments.copy(state.guardian.as_mut());
    state.vault_cap.set(arguments.u64());
    state.loosening_delay.set(arguments.i64());
    set(&mut state.base_mint, base_mint.address());
    check_cap(state)?;
    check_delay(state)?;
    // Nobody could sign for it.
    require(!same(&state.admin, &SYSTEM_PROGRAM), VaultError::PolicyValueInvalid)
}

/// The loader's account of a program: kind u32, slot u64, a flag and the upgrade authority when there is one.
#[repr(C)]
struct ProgramData {
    kind: [u8; 4],
    slot: [u8; 8],
    has_authority: u8,
    authority: Address,
}

fn is_upgrade_authority(authority: &AccountView, program_data: &AccountView, program: &Address) -> bool {
    let mut derived = Derived::of(&NO_WORD, program);
    if derived.check(program_data.address(), &UPGRADEABLE_LOADER).is_err()
        || !is_of(program_data, &UPGRADEABLE_LOADER)
        || program_data.data_len() < size_of::<ProgramData>()
    {
        return false;
    }
    // SAFETY: as long as that, and every field is bytes; this program never borrows that account mutably.
    let head = unsafe { &*program_data.data_ptr().cast::<ProgramData>() };
    head.kind == PROGRAM_DATA_KIND && head.has_authority == 1 && same(&head.authority, authority.address())
}
