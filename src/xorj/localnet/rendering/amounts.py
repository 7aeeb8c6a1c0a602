"""Token amounts in the four ways a node writes them. Pure."""

from decimal import Decimal

from xorj.localnet.records import Json


def token_amount(raw: int, decimals: int, *, null_when_zero: bool = False) -> Json:
    """`null_when_zero`: a stored transaction's zero balance has no uiAmount, a live one's is 0.0."""
    whole = Decimal(raw).scaleb(-decimals)
    text = format(whole, "f")
    return {
        "amount": str(raw),
        "decimals": decimals,
        "uiAmount": None if null_when_zero and not raw else float(whole),
        "uiAmountString": text.rstrip("0").rstrip(".") if "." in text else text,
    }
