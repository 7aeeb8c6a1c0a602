//! update_config: the admin changes any field; the guardian may pause and nothing else.

use crate::{
    accounts::{load_config, same, signer, writable, Context},
    arguments::Reader,
    constants::*,
    error::{Checked, VaultError, HAS_ONE},
    runtime::Clock,
};
use pinocchio::Address;

struct Arguments {
    pending_admin: Option<Address>,
    guardian: Option<Address>,
    vault_cap: Option<u64>,
    loosening_delay: Option<i64>,
    paused: Option<bool>,
    routers: Option<u8>,
}

impl Arguments {
    fn read(data: &[u8]) -> Checked<Self> {
        let mut reader = Reader::new(data);
        let arguments = Self {
            pending_admin: reader.option(Reader::address),
            guardian: reader.option(Reader::address),
            vault_cap: reader.option(Reader::u64),
            loosening_delay: reader.option(Reader::i64),
            paused: reader.option(Reader::bool),
            routers: reader.option(Reader::u8),
        };
        reader.end()?;
        Ok(arguments)
    }

    fn only_pauses(&self) -> bool {
        self.paused == Some(true)
            && self.pending_admin.is_none()
            && self.guardian.is_none()
            && self.vault_cap.is_none()
            && self.loosening_delay.is_none()
            && self.routers.is_none()
    }

    fn check(&self) -> Result<(), VaultError> {
        if self.vault_cap.is_some_and(|cap| cap > DEPOSIT_CEILING) {
            return Err(VaultError::DepositCapExceeded);
        }
        let delays = LOOSENING_DELAY_SECONDS_MIN..=LOOSENING_DELAY_SECONDS_MAX;
        let is_delay_allowed = self.loosening_delay.is_none_or(|delay| delays.contains(&delay));
        if !is_delay_allowed || self.routers.is_some_and(|routers| routers & !ROUTERS_MASK != 0) {
            return Err(VaultError::PolicyValueInvalid);
        }
        Ok(())
    }
}

#[inline(never)]
pub fn update_config(context: &Context, data: &[u8]) -> Checked {
    let arguments = Arguments::read(data)?;
    let [authority, mut account] = context.take()?;
    signer(&authority)?;
    writable([&account])?;
    let config = load_config(&mut account, context.program)?;
    if !same(authority.address(), &config.admin) {
        if !same(authority.address(), &config.guardian) {
            return Err(HAS_ONE);
        }
        if !arguments.only_pauses() {
            return Err(VaultError::Unauthorized.into());
        }
    }
    arguments.check()?;

    if let Some(admin) = arguments.pending_admin {
        config.pending_admin = admin;
    }
    if let Some(guardian) = arguments.guardian {
        config.guardian = guardian;
    }
    if let Some(cap) = arguments.vault_cap {
        config.vault_cap.set(cap);
    }
    if let Some(delay) = arguments.loosening_delay {
        config.loosening_delay.set(delay);
    }
    if let Some(paused) = arguments.paused {
        config.paused = paused.into();
    }
    if let Some(routers) = arguments.routers {
        let now = Clock::get().unix_timestamp;
        config.set_routers(routers, now, now.saturating_add(ROUTER_DELAY_SECONDS));
    }
    Ok(())
}
