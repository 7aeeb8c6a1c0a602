//! The account order of both routes. Slots have the same names in either; the steps' accounts follow.

use crate::RouterError;
use pinocchio::{error::ProgramError, AccountView, Address};

pub const STEP_ACCOUNTS: usize = 8;
const ROUTE_PREFIX: usize = 10;
const SHARED_PREFIX: usize = 12;

/// The fixed accounts, whichever route they came by.
pub struct Slots<'a> {
    pub user: &'a AccountView,
    pub source: &'a AccountView,
    pub destination: &'a AccountView,
    pub event_authority: &'a AccountView,
    /// Program authority, its source and its destination account: the shared route's.
    pub shared: Option<(&'a AccountView, &'a AccountView, &'a AccountView)>,
}

impl<'a> Slots<'a> {
    /// Splits the accounts into the fixed ones and the steps', and checks who stands where.
    pub fn parse(program: &Address, accounts: &'a [AccountView], shared: bool) -> Result<(Self, &'a [AccountView]), ProgramError> {
        if shared {
            let (fixed, steps) = accounts.split_first_chunk::<SHARED_PREFIX>().ok_or(RouterError::NotEnoughAccountKeys)?;
            let [authority, user, source, inner_source, inner_destination, destination, _, _, _, _, event_authority, router] = fixed;
            check(program, user, router)?;
            let shared = Some((authority, inner_source, inner_destination));
            return Ok((Self { user, source, destination, event_authority, shared }, steps));
        }
        let (fixed, steps) = accounts.split_first_chunk::<ROUTE_PREFIX>().ok_or(RouterError::NotEnoughAccountKeys)?;
        let [user, source, destination, _, _, _, _, other_destination, event_authority, router] = fixed;
        check(program, user, router)?;
        // Slot 7 is the router itself where the output stays with the user's own account.
        let destination = if other_destination.address() == program { destination } else { other_destination };
        Ok((Self { user, source, destination, event_authority, shared: None }, steps))
    }
}

fn check(program: &Address, user: &AccountView, router: &AccountView) -> Result<(), ProgramError> {
    if !user.is_signer() {
        return Err(ProgramError::MissingRequiredSignature);
    }
    if router.address() != program {
        return Err(RouterError::WrongAccount.into());
    }
    Ok(())
}
