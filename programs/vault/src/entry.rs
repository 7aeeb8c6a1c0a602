//! What the runtime hands over, as accounts, data and program. The library's own reader is unrolled for speed to five times this size.
//!
//! Layout: number of accounts u64; each account either the runtime's own record with its data, room to grow, padding to 8 and 8 more
//! bytes, or 8 bytes whose first is the place of the same account before; then length of data u64, data, program id.

use crate::{process_instruction, scratch::ACCOUNTS_MAX};
use core::{mem::MaybeUninit, slice::from_raw_parts};
use pinocchio::{
    account::{RuntimeAccount, MAX_PERMITTED_DATA_INCREASE},
    entrypoint::NON_DUP_MARKER,
    AccountView, Address,
};

pinocchio::no_allocator!();
pinocchio::nostd_panic_handler!();

#[no_mangle]
unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    let mut accounts = [const { MaybeUninit::<AccountView>::uninit() }; ACCOUNTS_MAX];
    // SAFETY: the runtime has written the buffer in the layout above, 8-aligned. A duplicate names an account before it, so the place it
    // names has been written when it is below the maximum, as every place before a written one is.
    unsafe {
        let count = *input.cast::<usize>();
        let mut at = input.add(8);
        let mut place = 0;
        while place < count {
            let account = at.cast::<RuntimeAccount>();
            let marker = (*account).borrow_state;
            at = at.add(8);
            let view = if marker == NON_DUP_MARKER {
                at = at.add(((*account).data_len as usize).wrapping_add(size_of::<RuntimeAccount>() + MAX_PERMITTED_DATA_INCREASE));
                at = at.add(at.align_offset(8));
                AccountView::new_unchecked(account)
            } else {
                accounts.get(usize::from(marker)).map_or_else(|| AccountView::new_unchecked(account), |before| before.assume_init())
            };
            if let Some(room) = accounts.get_mut(place) {
                room.write(view);
            }
            place = place.wrapping_add(1);
        }
        let length = *at.cast::<usize>();
        let data = from_raw_parts(at.add(8), length);
        let program = &*at.add(8).add(length).cast::<Address>();
        let known = if count < ACCOUNTS_MAX { count } else { ACCOUNTS_MAX };
        process_instruction(program, from_raw_parts(accounts.as_ptr().cast(), known), data)
    }
}
