//! update_config: the admin changes any field; the guardian may pause and nothing else.

use crate::{
    accounts::{same, Unchecked},
    arguments::{Reader, FLAG},
    constants::*,
    error::{require, Checked, VaultError, HAS_ONE},
    runtime::{later, now},
    state::Config,
};
use core::mem::offset_of;

/// The arguments that are written down as they come: where in Config, and how many bytes. In the order of the arguments; routers follow.
static FIELDS: [(u8, u8); 5] = [
    (offset_of!(Config, pending_admin) as u8, 32),
    (offset_of!(Config, guardian) as u8, 32),
    (offset_of!(Config, vault_cap) as u8, 8),
    (offset_of!(Config, loosening_delay) as u8, 8),
    (offset_of!(Config, paused) as u8, 1),
];
/// The bytes of all arguments.
static SIZES: [u8; 6] = [32, 32, 8, 8, FLAG, 1];
/// In the bits of the fields that are given.
const VAULT_CAP: u8 = 1 << 2;
const LOOSENING_DELAY: u8 = 1 << 3;
const PAUSED: u8 = 1 << 4;
const ROUTERS_GIVEN: u8 = 1 << 5;

/// What is refused after something has been written down has not been written: a failed instruction leaves nothing.
#[inline(never)]
pub fn update_config(unchecked: &Unchecked, arguments: &mut Reader) -> Checked {
    arguments.after_options(&SIZES).end()?;
    let context = unchecked.check()?;
    let (authority, config) = (context.at(0).address(), context.config());
    let is_admin = same(authority, &config.admin);
    require(is_admin || same(authority, &config.guardian), HAS_ONE)?;
    let mut given = 0;
    let mut bit = 1u8;
    for field in &FIELDS {
        if arguments.bool() {
            given |= bit;
            arguments.copy(config.bytes_at(*field));
        }
        bit <<= 1;
    }
    let mut routers = 0;
    if arguments.bool() {
        given |= ROUTERS_GIVEN;
        routers = arguments.u8();
    }
    require(is_admin || given == PAUSED && config.paused != 0, VaultError::Unauthorized)?;
    if given & VAULT_CAP != 0 {
        check_cap(config)?;
    }
    if given & LOOSENING_DELAY != 0 {
        check_delay(config)?;
    }
    require(routers & !ROUTERS_MASK == 0, VaultError::PolicyValueInvalid)?;
    if given & ROUTERS_GIVEN != 0 {
        let now = now();
        config.set_routers(routers, now, later(now, ROUTER_DELAY_SECONDS));
    }
    Ok(())
}

/// Under the compiled ceiling. Only of a cap that is given: another binary may have a lower ceiling than the cap that is stored, and a
/// guardian must still be able to pause.
#[inline(never)]
pub fn check_cap(config: &Config) -> Checked {
    require(config.vault_cap.get() <= DEPOSIT_CEILING, VaultError::DepositCapExceeded)
}

/// Neither too short nor too long.
#[inline(never)]
pub fn check_delay(config: &Config) -> Checked {
    let delay = config.loosening_delay.get();
    require((LOOSENING_DELAY_SECONDS_MIN..=LOOSENING_DELAY_SECONDS_MAX).contains(&delay), VaultError::PolicyValueInvalid)
}
