"""What callers send: strict types, nothing unknown, every text and number bounded. Answers are read models or stand beside their routes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from xorj.identity.challenge import MESSAGE_CHARACTERS_MAX
from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import parse_pubkey, parse_signature
from xorj.reporting.account import LEADERS_MAX_LIMIT, RiskProfile

U64_MAX = 2**64 - 1
BPS_MAX = 10_000
REASON_CHARACTERS_MAX = 200
TRANSACTION_BYTES_MAX = 1_232
TRANSACTION_CHARACTERS_MAX = (TRANSACTION_BYTES_MAX + 2) // 3 * 4
SLIPPAGE_PERCENT_MAX = 5
PINS_MAX = 16


def _pubkey(text: str) -> str:
    try:
        return parse_pubkey(text, "address")
    except InvalidInput as error:
        raise ValueError(error.rule) from None


def _signature(text: str) -> str:
    try:
        return parse_signature(text, "signature")
    except InvalidInput as error:
        raise ValueError(error.rule) from None


def _raw(text: str) -> str:
    if int(text) > U64_MAX:
        raise ValueError("at most 18446744073709551615")
    return text


AddressText = Annotated[str, StringConstraints(min_length=32, max_length=44), AfterValidator(_pubkey)]
SignatureText = Annotated[str, StringConstraints(min_length=64, max_length=88), AfterValidator(_signature)]
# A count of base units, as a text because JavaScript cannot hold it as a number.
RawText = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,19})$"), AfterValidator(_raw)]
PositiveRawText = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,19}$"), AfterValidator(_raw)]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARACTERS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Bps = Annotated[int, Field(ge=0, le=BPS_MAX)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ChallengeRequest(Body):
    wallet_address: AddressText


class AuthRequest(Body):
    """`message` is the exact text of a challenge, `signature` the wallet's Ed25519 signature over it in base58."""

    wallet_address: AddressText
    signature: SignatureText
    message: Annotated[str, StringConstraints(min_length=1, max_length=MESSAGE_CHARACTERS_MAX)]


class CopyOrderBody(Body):
    """How many leaders are copied at once, and the share of the vault's equity that each of them may steer, in basis points."""

    leaders_max: Annotated[int, Field(ge=1, le=LEADERS_MAX_LIMIT)] | None = None
    allocation_bps: Annotated[int, Field(ge=1, le=BPS_MAX)] | None = None


class DisableBody(Body):
    reason: Reason = "disabled by its owner"


class EmergencyBody(Body):
    action: Literal["stop", "resume"]
    reason: Reason


class SettingsBody(Body):
    """`max_trade_amount_usd` null: no limit of one's own below the vault's."""

    risk_profile: RiskProfile
    max_trade_amount_usd: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=6, strict=False)] | None = None
    slippage_tolerance_percent: Annotated[Decimal, Field(gt=0, le=SLIPPAGE_PERCENT_MAX, decimal_places=2, strict=False)]


class DepositBody(Body):
    """`amount_raw` base units of the vault's base mint (USDC has 6 decimals)."""

    amount_raw: PositiveRawText


class WithdrawBody(Body):
    """`amount_raw` base units, out of whatever token accounts of the vault hold them."""

    mint: AddressText
    amount_raw: PositiveRawText


class RecoverBody(Body):
    mint: AddressText


class CloseAccountBody(Body):
    """`account` is an empty token account of the vault or of its trade authority."""

    account: AddressText


class PolicyBody(Body):
    """What is left out or null stays. Raw amounts are base units of the base mint; `bot_expires_at` is unix seconds, 0 for never."""

    spend_per_trade_raw: RawText | None = None
    spend_per_day_raw: RawText | None = None
    loss_per_day_raw: RawText | None = None
    spend_per_trade_bps: Bps | None = None
    spend_per_day_bps: Bps | None = None
    loss_per_day_bps: Bps | None = None
    bot_expires_at: Annotated[int, Field(ge=0, le=2**62)] | None = None
    mint_mode: Literal["allowlist", "any"] | None = None
    pin: Annotated[list[AddressText], Field(max_length=PINS_MAX)] = []
    unpin: Annotated[list[AddressText], Field(max_length=PINS_MAX)] = []


class SignedTransactionBody(Body):
    """A transaction signed by the session's wallet, in base64."""

    transaction: Annotated[str, StringConstraints(min_length=4, max_length=TRANSACTION_CHARACTERS_MAX)]
