//! Every error code of the program. Numbers are never changed; a new one goes to the end. The interface's table is compared in a test.

use core::num::NonZeroU64;

macro_rules! errors {
    ($first:ident = $base:literal, $($name:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u64)]
        pub enum VaultError {
            $first = $base,
            $($name,)*
        }
        impl VaultError {
            pub const ALL: &'static [(&'static str, VaultError)] =
                &[(stringify!($first), VaultError::$first), $((stringify!($name), VaultError::$name)),*];
        }
    };
}

errors! {
    Unauthorized = 6_000,
    VaultInactive,
    InvalidAmount,
    DepositCapExceeded,
    InsufficientVaultBalance,
    MathOverflow,
    BotAuthorityNotSet,
    BotAuthorityMismatch,
    BotAuthorityAlreadySet,
    InvalidBotAuthority,
    InvalidMint,
    InvalidTokenAccount,
    SameMint,
    RouterNotAllowed,
    RouteNotAllowed,
    RouteDataMalformed,
    RouteAmountMismatch,
    ZeroMinimumOut,
    SlippageExceeded,
    InputOverspent,
    VaultAccountTampered,
    ForbiddenRemainingAccount,
    UnsupportedTokenProgram,
    UnsupportedExtension,
    TradeLimitExceeded,
    VaultAlreadyInactive,
    VaultPaused,
    ProgramPaused,
    BotExpired,
    BotEpochMismatch,
    NonceUsed,
    NonceTooOld,
    NonceTooFar,
    DeadlinePassed,
    MintNotAllowed,
    NoFreeSlot,
    BaseLegRequired,
    SpendLimitExceeded,
    LossLimitExceeded,
    VaultNotClosable,
    NotUpgradeAuthority,
    CalledByProgram,
    PolicyValueInvalid,
    EpochTooYoung,
}

impl VaultError {
    pub const fn code(self) -> u64 {
        self as u64
    }
}

/// Why an instruction is refused: the code that goes out. One register of the target, where `ProgramError` would be two words of memory and
/// a number of 32 bits would be widened after every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(NonZeroU64);

pub type Checked<T = ()> = Result<T, Fault>;

impl Fault {
    const fn framework(code: u64) -> Self {
        match NonZeroU64::new(code) {
            Some(code) => Self(code),
            None => panic!("0 is success"),
        }
    }

    /// As the runtime shows it: a custom error of this number.
    pub fn code(self) -> u64 {
        self.0.get()
    }
}

impl From<VaultError> for Fault {
    #[inline(always)]
    fn from(error: VaultError) -> Self {
        Self::framework(error.code())
    }
}

/// Refuses with `refusal` unless `holds`.
#[inline(always)]
pub fn require(holds: bool, refusal: impl Into<Fault>) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(refusal.into())
    }
}

// Anchor's own codes, where it has one.
pub const UNKNOWN_INSTRUCTION: Fault = Fault::framework(101);
pub const BAD_ARGUMENTS: Fault = Fault::framework(102);
pub const NOT_WRITABLE: Fault = Fault::framework(2000);
pub const HAS_ONE: Fault = Fault::framework(2001);
pub const SEEDS: Fault = Fault::framework(2006);
pub const ALREADY_INITIALIZED: Fault = Fault::framework(3000);
pub const NO_DISCRIMINATOR: Fault = Fault::framework(3001);
pub const OTHER_DISCRIMINATOR: Fault = Fault::framework(3002);
pub const BAD_ACCOUNT: Fault = Fault::framework(3003);
pub const TOO_FEW_ACCOUNTS: Fault = Fault::framework(3005);
pub const OTHER_OWNER: Fault = Fault::framework(3007);
pub const OTHER_PROGRAM: Fault = Fault::framework(3008);
pub const NOT_SIGNER: Fault = Fault::framework(3010);
pub const NOT_INITIALIZED: Fault = Fault::framework(3012);
