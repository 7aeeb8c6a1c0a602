"""`./xorj bench localnet`: how fast the local chain executes, records, answers and restarts; bare LiteSVM beside it in the same run.

Rates are per second on one core. The floors are those of the project's first milestone; the exit code says whether all were held.
"""

import argparse
import json
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import orjson
import uvloop
from solders.account import Account
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

from xorj.localnet.bank import Bank, Executed
from xorj.localnet.genesis import TOKEN_PROGRAM, Genesis, local_genesis, mint_account, token_account, wallet_account
from xorj.localnet.message import DecodedTransaction
from xorj.localnet.run import Extras, Ports, run_chain
from xorj.localnet.runtime import Runtime
from xorj.market import local_amm
from xorj.router import jupiter_v6

FLOORS = {"transfers_per_s": 2_000, "swaps_per_s": 1_000, "batched_per_s": 3_000}
CEILINGS = {"get_transaction_p99_ms": 5.0}
PER_BLOCK, BATCH = 500, 100
RESERVE_RAW = 10**14
TRADER = Keypair.from_seed(bytes([7]) * 32)
MINTS = [Keypair.from_seed(bytes([seed]) * 32).pubkey() for seed in (8, 9)]
FRIEND = Keypair.from_seed(bytes([10]) * 32).pubkey()


def genesis() -> Genesis:
    """A trader, two mints, one pool of them, both programs."""
    pool = local_amm.pool_of(*MINTS)
    accounts = {TRADER.pubkey(): wallet_account(10**15)}
    for mint in MINTS:
        accounts[mint] = mint_account(TRADER.pubkey(), decimals=6, supply_raw=4 * RESERVE_RAW)
        for owner in (TRADER.pubkey(), FRIEND, pool.address):
            accounts[get_associated_token_address(owner, mint, TOKEN_PROGRAM)] = token_account(mint, owner, RESERVE_RAW)
    keys = b"".join(map(bytes, (pool.mint_a, pool.mint_b, pool.vault_a, pool.vault_b)))
    _, bump = Pubkey.find_program_address([b"pool", bytes(pool.mint_a), bytes(pool.mint_b)], local_amm.PROGRAM)
    accounts[pool.address] = Account(10**9, local_amm.POOL_TAG + keys + bytes([bump]), local_amm.PROGRAM, False, 0)
    return local_genesis().with_accounts(accounts)


def transfer(number: int) -> Instruction:
    """A token transfer whose amount makes its transaction unique."""
    source, target = (get_associated_token_address(owner, MINTS[0], TOKEN_PROGRAM) for owner in (TRADER.pubkey(), FRIEND))
    accounts = [AccountMeta(source, False, True), AccountMeta(MINTS[0], False, False), AccountMeta(target, False, True)]
    data = b"\x0c" + struct.pack("<Q", number + 1) + b"\x06"
    return Instruction(TOKEN_PROGRAM, data, [*accounts, AccountMeta(TRADER.pubkey(), True, False)])


def swap(number: int) -> Instruction:
    """A swap through the router, back and forth so that the pool stays where it is."""
    mint, other = MINTS if number % 2 else MINTS[::-1]
    pool, who = local_amm.pool_of(mint, other), TRADER.pubkey()
    given, got = (get_associated_token_address(who, each, TOKEN_PROGRAM) for each in (mint, other))
    head = jupiter_v6.encode_route(10_000 + number, 1, 10_000, [jupiter_v6.RouteStep(input_index=0, output_index=1)])
    metas = [jupiter_v6.step_program(local_amm.PROGRAM), *local_amm.step_accounts(pool, who, given, got, mint)]
    return jupiter_v6.route_instruction(jupiter_v6.RouteAccounts(who, given, got, mint, other), head, metas)


def signed(instruction: Instruction, blockhash: Hash) -> bytes:
    return bytes(VersionedTransaction(MessageV0.try_compile(TRADER.pubkey(), [instruction], [], blockhash), [TRADER]))


def recorded_per_s(bank: Bank, make: Callable[[int], Instruction], first: int, count: int) -> float:
    """Executed with signature check and recorded with all balances, on the disk at the end of every block."""
    seconds = 0.0
    for start in range(first, first + count, PER_BLOCK):
        bank.advance(1, bank.unix_seconds + 1)
        batch = [signed(make(number), bank.latest_blockhash()) for number in range(start, min(start + PER_BLOCK, first + count))]
        began = time.perf_counter()
        outcomes = [bank.execute(raw) for raw in batch]
        bank.commit()
        seconds += time.perf_counter() - began
        if not all(isinstance(one, Executed) and one.succeeded for one in outcomes):
            raise SystemExit(f"a benchmark transaction failed: {next(one for one in outcomes if not one.succeeded)}")
    return count / seconds


def bare_per_s(make: Callable[[int], Instruction], count: int) -> float:
    """The same transactions on LiteSVM alone: no signature check, nothing recorded."""
    runtime = Runtime(genesis())
    batch = [VersionedTransaction.from_bytes(signed(make(number), Hash.default())) for number in range(count)]
    began = time.perf_counter()
    for transaction in batch:
        runtime.run(transaction)
    return count / (time.perf_counter() - began)


class Client:
    """A served copy of the folder's chain, in its own process."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
            self._ports = [str(one.getsockname()[1]) for one in (free, other)]
        self._url = f"http://127.0.0.1:{self._ports[0]}"
        self._http = httpx2.Client(timeout=60)
        began = time.perf_counter()
        self._process = subprocess.Popen([sys.executable, __file__, "--serve", str(folder), *self._ports])
        while not self._answers():
            time.sleep(0.01)
        self.start_s = time.perf_counter() - began

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._http.close()

    def post(self, body: Any) -> Any:
        return orjson.loads(self._http.post(self._url, content=orjson.dumps(body)).content)

    def memory_mib(self) -> float:
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize() / 2**20

    def _answers(self) -> bool:
        try:
            return "result" in self.post(request("getHealth"))
        except httpx2.TransportError:
            return False


def request(method: str, *params: Any) -> Any:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def lookups(signatures: Sequence[str]) -> list[Any]:
    options = {"encoding": "json", "maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
    return [request("getTransaction", signature, options) for signature in signatures]


def reading(folder: Path, signatures: list[str]) -> dict[str, float]:
    """One after the other, then in batches, over HTTP on one connection."""
    client = Client(folder)
    try:
        spread = signatures[:: max(1, len(signatures) // 3_000)]
        single = []
        for one in lookups(spread):
            began = time.perf_counter()
            if client.post(one)["result"] is None:
                raise SystemExit("a recorded transaction was not found")
            single.append((time.perf_counter() - began) * 1_000)
        wanted = lookups(signatures[:20_000])
        began = time.perf_counter()
        for start in range(0, len(wanted), BATCH):
            client.post(wanted[start : start + BATCH])
        batched = len(wanted) / (time.perf_counter() - began)
        single.sort()
        return {
            "get_transaction_p50_ms": single[len(single) // 2],
            "get_transaction_p99_ms": single[int(len(single) * 0.99)],
            "batched_per_s": batched,
            "restart_s": client.start_s,
            "server_memory_mib": client.memory_mib(),
        }
    finally:
        client.close()


def measure(history: int, sample: int) -> dict[str, float]:
    """All figures; `history` transactions lie in the chain when it is read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bank = Bank.open(folder, genesis())
        figures = {
            "transfers_per_s": recorded_per_s(bank, transfer, 0, sample),
            "bare_litesvm_transfers_per_s": bare_per_s(transfer, sample),
            "swaps_per_s": recorded_per_s(bank, swap, 0, sample),
            "bare_litesvm_swaps_per_s": bare_per_s(swap, sample),
        }
        recorded_per_s(bank, transfer, sample, max(0, history - 2 * sample))
        signatures = [str(DecodedTransaction.of(stored.raw).signature) for stored in bank.history.read_all()]
        figures["history"] = len(bank.history)
        bank.close()
        return figures | reading(folder, signatures)


def held(figures: dict[str, float]) -> bool:
    enough = all(figures[name] >= floor for name, floor in FLOORS.items())
    return enough and all(figures[name] <= ceiling for name, ceiling in CEILINGS.items())


def main(argv: list[str]) -> int:
    """0 when every floor was held, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="xorj bench localnet", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--history", type=int, default=100_000, help="transactions in history when reading is measured")
    parser.add_argument("--sample", type=int, default=10_000, help="transactions each execution rate is measured over")
    chosen = parser.parse_args(argv)
    figures = {name: round(value, 2) for name, value in measure(chosen.history, chosen.sample).items()}
    if chosen.json:
        print(json.dumps(figures | {"ok": held(figures)}))
    else:
        for name, value in figures.items():
            floor = f"  (at least {FLOORS[name]:,})" if name in FLOORS else f"  (at most {CEILINGS[name]})" if name in CEILINGS else ""
            print(f"{name:32}{value:>14,}{floor}")
    return 0 if held(figures) else 1


def serve(folder: str, rpc: str, websocket: str) -> None:
    uvloop.run(run_chain(Path(folder), genesis(), Ports(rpc=int(rpc), websocket=int(websocket)), Extras()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:5])
    else:
        sys.exit(main(sys.argv[1:]))
