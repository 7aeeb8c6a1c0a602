"""anchorpy, unchanged, builds and reads what the vectors name, from the legacy IDL alone: `python anchorpy_client.py IDL`.

Run in its own environment. Takes the vectors on standard input and writes what it made of them to standard output; what that should come
to, it does not look at.
"""

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anchorpy import Context, EventParser, Idl, Program, Provider
from anchorpy.error import ProgramError
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey
from solders.transaction_status import InstructionErrorCustom, TransactionErrorInstructionError

ROUTER = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"


@dataclass(frozen=True)
class Client:
    program: Program
    idl: Any

    def instruction(self, vector: Any) -> Any:
        kinds = {each["name"]: each["args"] for each in self.idl["instructions"]}[camel(vector["name"])]
        arguments = [self.value(kind["type"], shown) for kind, shown in zip(kinds, vector["arguments"].values(), strict=True)]
        keys = {role: Pubkey.from_string(each["key"]) for role, each in vector["accounts"].items()}
        rest = [AccountMeta(Pubkey.from_string(each["key"]), each["signer"], each["writable"]) for each in vector["remaining_accounts"]]
        built = self.program.instruction[vector["name"]](*arguments, ctx=Context(accounts=keys, remaining_accounts=rest))
        metas = [{"key": str(each.pubkey), "signer": each.is_signer, "writable": each.is_writable} for each in built.accounts]
        return {"program": str(built.program_id), "accounts": metas, "data": bytes(built.data).hex()}

    def account(self, vector: Any) -> Any:
        decoded = self.program.coder.accounts.decode(bytes.fromhex(vector["data"]))
        return {"name": type(decoded).__name__, "values": shown(decoded)}

    def events(self, vector: Any) -> Any:
        """One of ours among others, and the same bytes logged by another program, which must not count."""
        line = "Program data: " + base64.b64encode(bytes.fromhex(vector["data"])).decode()
        own = str(self.program.program_id)
        logs = [f"Program {own} invoke [1]", line, f"Program {ROUTER} invoke [2]", line, f"Program {ROUTER} success"]
        found: list[Any] = []
        EventParser(self.program.program_id, self.program.coder).parse_logs([*logs, f"Program {own} success"], found.append)
        return [{"name": each.name, "values": shown(each.data)} for each in found]

    def error(self, code: int) -> str | None:
        messages = {each["code"]: each["msg"] for each in self.idl["errors"]}
        failed = TransactionErrorInstructionError(0, InstructionErrorCustom(code))
        logs = [f"Program {self.program.program_id} failed: custom program error: {code:#x}"]
        error = ProgramError.parse_tx_error(failed, messages, self.program.program_id, logs)
        return error.msg if error else None

    def value(self, kind: Any, given: Any) -> Any:
        """What a vector shows, as the value that anchorpy takes."""
        if kind in ("u64", "i64"):
            return int(given)
        if kind == "publicKey":
            return Pubkey.from_string(given)
        if kind == "bytes":
            return bytes.fromhex(given)
        if isinstance(kind, str):
            return given
        if "option" in kind:
            return None if given is None else self.value(kind["option"], given)
        if "vec" in kind:
            return [self.value(kind["vec"], each) for each in given]
        fields = {each["name"]: each["type"]["fields"] for each in self.idl["types"]}[kind["defined"]]
        values = [self.value(field["type"], each) for field, each in zip(fields, given.values(), strict=True)]
        return self.program.type[kind["defined"]](*values)


def shown(value: Any) -> Any:
    """What anchorpy has read: integers as text of any size, keys as base58."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | Pubkey):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: shown(getattr(value, name)) for name in value.__dataclass_fields__}
    return [shown(each) for each in value]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def main(path: str) -> None:
    text = Path(path).read_text()
    idl = json.loads(text)
    program = Program(Idl.from_json(text), Pubkey.from_string(idl["metadata"]["address"]), Provider.readonly())
    client, vectors = Client(program, idl), json.load(sys.stdin)
    made = {
        "instructions": [client.instruction(each) for each in vectors["instructions"]],
        "accounts": [client.account(each) for each in vectors["accounts"]],
        "events": [client.events(each) for each in vectors["events"]],
        "errors": {code: client.error(int(code)) for code in vectors["errors"]},
        "framework_errors": {code: client.error(int(code)) for code in vectors["framework_errors"]},
    }
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
