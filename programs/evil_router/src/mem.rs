//! The memory functions that compiled code may call on this target; the runtime offers them as syscalls.
use solana_define_syscall::definitions::{sol_memcmp_, sol_memcpy_, sol_memmove_, sol_memset_};

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    sol_memcpy_(to, from, count as u64);
    to
}

#[no_mangle]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    sol_memmove_(to, from, count as u64);
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    sol_memset_(to, byte as u8, count as u64);
    to
}

#[no_mangle]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let mut order = 0;
    sol_memcmp_(a, b, count as u64, &mut order);
    order
}
