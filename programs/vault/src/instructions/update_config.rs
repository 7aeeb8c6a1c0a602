//! update_config: the admin changes any field; the guardian may pause and nothing else.

use crate::{
    accounts::{load_config, same, set, signer, Context},
    arguments::Reader,
    constants::*,
    error::{Checked, VaultError, HAS_ONE},
    runtime,
};

/// Bits of the fields that are given, in the order of the arguments.
const PENDING_ADMIN: u8 = 1 << 0;
const GUARDIAN: u8 = 1 << 1;
const VAULT_CAP: u8 = 1 << 2;
const LOOSENING_DELAY: u8 = 1 << 3;
const PAUSED: u8 = 1 << 4;
const ROUTERS_GIVEN: u8 = 1 << 5;

#[inline(never)]
pub fn update_config(context: &Context, data: &[u8]) -> Checked {
    let mut reader = Reader::new(data);
    // Not options: what is not given is marked in `given`, so that nothing is moved about.
    let mut given = 0;
    let mut field = |bit: u8, reader: &mut Reader| {
        let is_given = reader.bool();
        given |= if is_given { bit } else { 0 };
        is_given
    };
    let pending_admin = if field(PENDING_ADMIN, &mut reader) { reader.address() } else { &SYSTEM_PROGRAM };
    let guardian = if field(GUARDIAN, &mut reader) { reader.address() } else { &SYSTEM_PROGRAM };
    let vault_cap = if field(VAULT_CAP, &mut reader) { reader.u64() } else { 0 };
    let loosening_delay = if field(LOOSENING_DELAY, &mut reader) { reader.i64() } else { LOOSENING_DELAY_SECONDS_MIN };
    let paused = field(PAUSED, &mut reader) && reader.bool();
    let routers = if field(ROUTERS_GIVEN, &mut reader) { reader.u8() } else { 0 };
    reader.end()?;
    let [authority, account] = context.take(&[1])?;
    signer(authority)?;
    let config = load_config(account, context.program)?;
    if !same(authority.address(), &config.admin) {
        if !same(authority.address(), &config.guardian) {
            return Err(HAS_ONE);
        }
        if given != PAUSED || !paused {
            return Err(VaultError::Unauthorized.into());
        }
    }
    check_cap(vault_cap)?;
    check_delay(loosening_delay)?;
    if routers & !ROUTERS_MASK != 0 {
        return Err(VaultError::PolicyValueInvalid.into());
    }

    if given & PENDING_ADMIN != 0 {
        set(&mut config.pending_admin, pending_admin);
    }
    if given & GUARDIAN != 0 {
        set(&mut config.guardian, guardian);
    }
    if given & VAULT_CAP != 0 {
        config.vault_cap.set(vault_cap);
    }
    if given & LOOSENING_DELAY != 0 {
        config.loosening_delay.set(loosening_delay);
    }
    if given & PAUSED != 0 {
        config.paused = paused.into();
    }
    if given & ROUTERS_GIVEN != 0 {
        let now = runtime::now();
        config.set_routers(routers, now, runtime::later(now, ROUTER_DELAY_SECONDS));
    }
    Ok(())
}

pub fn check_cap(cap: u64) -> Result<(), VaultError> {
    if cap > DEPOSIT_CEILING {
        Err(VaultError::DepositCapExceeded)
    } else {
        Ok(())
    }
}

pub fn check_delay(delay: i64) -> Result<(), VaultError> {
    if (LOOSENING_DELAY_SECONDS_MIN..=LOOSENING_DELAY_SECONDS_MAX).contains(&delay) {
        Ok(())
    } else {
        Err(VaultError::PolicyValueInvalid)
    }
}
