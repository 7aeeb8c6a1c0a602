"""How amounts leave as JSON: raw ones as strings, because JavaScript cannot hold them, dollars as numbers, because people read them."""

from typing import Annotated

from pydantic import PlainSerializer

from xorj.primitives.amounts import Usd

RawAmount = Annotated[int, PlainSerializer(str, return_type=str)]
Dollars = Annotated[Usd, PlainSerializer(float, return_type=float)]
