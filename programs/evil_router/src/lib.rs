//! A hostile router for the vault's tests: it reads a script after the fixed head of `route_v2` and makes the calls written there, with
//! whatever signatures it was handed. Called straight, it stands for any program that wraps another. It is never shipped.
//!
//! Script: number of calls u8; each call: program u8, number of accounts u8, (account u8, flags u8)*, length of data u16, data.
//! Programs and accounts are places among the router's own accounts; flag 1 is signer, flag 2 writable. Three places are no program:
//! `LOG` writes the data as a `Program data:` line once for every account named, `SEIZE` takes lamports of the first account for the second
//! without asking anybody, `SCRIBBLE` writes the data over the first account's own. Data without a script does nothing and succeeds: a token
//! program that only says it pays, a transfer hook that agrees.
#![cfg_attr(any(target_os = "solana", target_arch = "bpf"), no_std)]

#[cfg(target_arch = "bpf")]
mod mem;

use pinocchio::{
    cpi::{invoke_with_bounds, set_return_data},
    error::ProgramError,
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod entry {
    pinocchio::program_entrypoint!(super::process_instruction, 64);
    pinocchio::default_allocator!();
    pinocchio::nostd_panic_handler!();
}

/// Discriminator, in_amount, quoted_out_amount, three fields of two bytes, number of steps.
const HEAD_BYTES: usize = 8 + 8 + 8 + 6 + 4;
const CALL_ACCOUNTS_MAX: usize = 40;
const LOG: u8 = 255;
const SEIZE: u8 = 254;
const SCRIBBLE: u8 = 253;
const SIGNER: u8 = 1;
const WRITABLE: u8 = 2;
const NOBODY: Address = Address::new_from_array([0; 32]);
const NO_ACCOUNT: InstructionAccount = InstructionAccount { address: &NOBODY, is_writable: false, is_signer: false };

/// Makes the script's calls in order and claims to have paid more than anybody asked for.
pub fn process_instruction(_program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let Some(mut script) = data.get(HEAD_BYTES..) else { return Ok(()) };
    let [calls] = take(&mut script)?;
    for _ in 0..calls {
        call(accounts, &mut script)?;
    }
    set_return_data(&u64::MAX.to_le_bytes());
    Ok(())
}

fn call(accounts: &[AccountView], script: &mut &[u8]) -> ProgramResult {
    let at = |place: u8| accounts.get(usize::from(place)).ok_or(ProgramError::NotEnoughAccountKeys);
    let [callee, count] = take(script)?;
    let program = if callee < SCRIBBLE { at(callee)? } else { at(0)? };
    let mut views = [program; CALL_ACCOUNTS_MAX];
    let mut metas = [const { NO_ACCOUNT }; CALL_ACCOUNTS_MAX];
    let count = usize::from(count).min(CALL_ACCOUNTS_MAX);
    for (view, meta) in views.iter_mut().zip(metas.iter_mut()).take(count) {
        let [place, flags] = take(script)?;
        *view = at(place)?;
        *meta = InstructionAccount { address: view.address(), is_writable: flags & WRITABLE != 0, is_signer: flags & SIGNER != 0 };
    }
    let length = usize::from(u16::from_le_bytes(take(script)?));
    let (data, rest) = script.split_at_checked(length).ok_or(ProgramError::InvalidInstructionData)?;
    *script = rest;
    let (views, metas) = (views.get(..count).unwrap_or_default(), metas.get(..count).unwrap_or_default());
    match callee {
        LOG => return log_data(views.len(), data),
        SEIZE => return seize(views, data),
        SCRIBBLE => return scribble(views, data),
        _ => {}
    }
    invoke_with_bounds::<CALL_ACCOUNTS_MAX, _>(&InstructionView { program_id: program.address(), accounts: metas, data }, views)
}

fn log_data(times: usize, data: &[u8]) -> ProgramResult {
    for _ in 0..times {
        log_once(data);
    }
    Ok(())
}

fn log_once(data: &[u8]) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let fields = [data];
        // SAFETY: one slice, whose address and length are laid out as the runtime reads them.
        unsafe { solana_define_syscall::definitions::sol_log_data(fields.as_ptr().cast(), 1) };
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    core::hint::black_box(data);
}

fn seize(views: &[&AccountView], data: &[u8]) -> ProgramResult {
    let ([from, to, ..], Some(amount)) = (views, data.first_chunk()) else { return Err(ProgramError::InvalidInstructionData) };
    let (mut from, mut to, amount) = (**from, **to, u64::from_le_bytes(*amount));
    from.set_lamports(from.lamports().wrapping_sub(amount));
    to.set_lamports(to.lamports().wrapping_add(amount));
    Ok(())
}

fn scribble(views: &[&AccountView], data: &[u8]) -> ProgramResult {
    let mut account = **views.first().ok_or(ProgramError::NotEnoughAccountKeys)?;
    // SAFETY: nothing borrows the account; that the write is not allowed is what the runtime has to notice.
    let own = unsafe { account.borrow_unchecked_mut() };
    own.iter_mut().zip(data).for_each(|(byte, new)| *byte = *new);
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ProgramError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(ProgramError::InvalidInstructionData)?;
    *rest = tail;
    Ok(*head)
}
