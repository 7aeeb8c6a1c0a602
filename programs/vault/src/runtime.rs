//! The calls to the runtime that pinocchio does not wrap. On the host they do nothing, so that the rest compiles and is tested there.

/// 1 for an instruction of a transaction, more when a program called.
#[inline(always)]
pub fn stack_height() -> u64 {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    // SAFETY: the call takes nothing and returns a number.
    return unsafe { solana_define_syscall::definitions::sol_get_stack_height() };
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    1
}

/// One `Program data:` line.
#[inline(always)]
pub fn log_data(data: &[u8]) {
    #[cfg(any(target_os = "solana", target_arch = "bpf"))]
    {
        let fields = [data];
        // SAFETY: one slice, whose address and length are laid out as the runtime reads them.
        unsafe { solana_define_syscall::definitions::sol_log_data(fields.as_ptr().cast(), 1) };
    }
    #[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
    core::hint::black_box(data);
}
