//! Every error code of the program. Numbers are never changed; a new one goes to the end. The interface's table is compared in a test.

use pinocchio::error::ProgramError;

macro_rules! errors {
    ($($name:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum VaultError {
            $($name,)*
        }
        impl VaultError {
            pub const ALL: &'static [(&'static str, VaultError)] = &[$((stringify!($name), VaultError::$name)),*];
        }
    };
}

errors! {
    Unauthorized,
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
    pub const fn code(self) -> u32 {
        6_000 + self as u32
    }
}

impl From<VaultError> for ProgramError {
    fn from(error: VaultError) -> Self {
        ProgramError::Custom(error.code())
    }
}

// Anchor's own codes, where it has one.
pub const UNKNOWN_INSTRUCTION: ProgramError = ProgramError::Custom(101);
pub const BAD_ARGUMENTS: ProgramError = ProgramError::Custom(102);
pub const NOT_WRITABLE: ProgramError = ProgramError::Custom(2000);
pub const HAS_ONE: ProgramError = ProgramError::Custom(2001);
pub const SEEDS: ProgramError = ProgramError::Custom(2006);
pub const ALREADY_INITIALIZED: ProgramError = ProgramError::Custom(3000);
pub const NO_DISCRIMINATOR: ProgramError = ProgramError::Custom(3001);
pub const OTHER_DISCRIMINATOR: ProgramError = ProgramError::Custom(3002);
pub const BAD_ACCOUNT: ProgramError = ProgramError::Custom(3003);
pub const TOO_FEW_ACCOUNTS: ProgramError = ProgramError::Custom(3005);
pub const OTHER_OWNER: ProgramError = ProgramError::Custom(3007);
pub const OTHER_PROGRAM: ProgramError = ProgramError::Custom(3008);
pub const NOT_SIGNER: ProgramError = ProgramError::Custom(3010);
pub const NOT_INITIALIZED: ProgramError = ProgramError::Custom(3012);
