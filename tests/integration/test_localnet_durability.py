"""A local chain killed with SIGKILL: everything it acknowledged is there afterwards, at the same place with the same effects."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from solders.hash import Hash
from solders.message import MessageV0
from solders.transaction import VersionedTransaction
from tests.fakes.localnet_process import LocalnetProcess
from tests.fakes.localnet_world import ANA, ANA_TOKENS_RAW, BEN_TOKENS, LocalnetWorld, lamports_to, text_of, tokens_to, world_genesis

from xorj.localnet.bank import Bank
from xorj.localnet.replay import replay
from xorj.localnet.run import Ports
from xorj.primitives.errors import RefusedForSafety

OPTIONS = {"encoding": "base64", "skipPreflight": True}


def transfer_of(chain: LocalnetProcess, amount_raw: int) -> VersionedTransaction:
    recent = chain.call("getLatestBlockhash", {"commitment": "confirmed"})["result"]["value"]["blockhash"]
    message = MessageV0.try_compile(ANA.pubkey(), [tokens_to(BEN_TOKENS, amount_raw)], [], Hash.from_string(recent))
    return VersionedTransaction(message, [ANA])


def send(chain: LocalnetProcess, transaction: VersionedTransaction) -> str:
    return str(chain.call("sendTransaction", text_of(transaction), OPTIONS)["result"])


def shown(chain: LocalnetProcess, signature: str) -> Any:
    options = {"maxSupportedTransactionVersion": 0, "commitment": "confirmed"}
    return chain.call("getTransaction", signature, options)["result"]


def test_what_was_acknowledged_survives_being_killed_again_and_again(tmp_path: Path) -> None:
    amounts = list(range(1, 41))
    with LocalnetProcess(tmp_path) as chain:
        acknowledged: list[str] = []
        for part in (amounts[:15], amounts[15:30], amounts[30:]):
            with ThreadPoolExecutor(8) as pool:
                acknowledged += pool.map(lambda amount: send(chain, transfer_of(chain, amount)), part)
            chain.kill()
            chain.start()
        replies = [shown(chain, signature) for signature in acknowledged]
        assert all(reply["meta"]["err"] is None for reply in replies)
        assert chain.call("getTokenAccountBalance", str(BEN_TOKENS))["result"]["value"]["amount"] == str(sum(amounts))
        slot = chain.call("getSlot", {"commitment": "processed"})["result"]
        assert slot > max(reply["slot"] for reply in replies)
        repeated = VersionedTransaction.from_bytes(bytes(transfer_of(chain, 1_000)))
        assert send(chain, repeated) == send(chain, repeated)
        assert chain.stop() == 0
    bank = Bank.open(tmp_path, world_genesis())
    fresh = replay(bank)
    assert bytes(fresh.account(BEN_TOKENS)) == bytes(bank.account(BEN_TOKENS))
    assert int.from_bytes(bank.account(BEN_TOKENS).data[64:72], "little") == sum(amounts) + 1_000 < ANA_TOKENS_RAW
    bank.close()


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with LocalnetProcess(tmp_path), pytest.raises(RefusedForSafety, match="one writer"):
        Bank.open(tmp_path, world_genesis())


@pytest.mark.parametrize("with_snapshot", [True, False], ids=["from a snapshot", "from the journal alone"])
def test_a_restart_finds_state_history_and_slots(tmp_path: Path, with_snapshot: bool) -> None:
    world = LocalnetWorld(tmp_path)
    for amount in range(1, 30):
        world.bank.execute(world.signed(tokens_to(BEN_TOKENS, amount)))
        world.slots_pass(amount % 3)
    failing = world.bank.execute(world.signed(lamports_to(ANA.pubkey(), 10**18)))
    slot, stored = world.bank.slot, list(world.bank.history.read_all())
    world.bank.close()
    if not with_snapshot:
        (tmp_path / "snapshot").unlink()
    again = Bank.open(tmp_path, world_genesis())
    assert list(again.history.read_all()) == stored
    assert again.slot == slot + 1
    assert int.from_bytes(again.account(BEN_TOKENS).data[64:72], "little") == sum(range(1, 30))
    assert again.history.ordinal(bytes(failing.signature)) is not None
    again.close()


def test_a_damaged_snapshot_costs_time_and_nothing_else(tmp_path: Path) -> None:
    world = LocalnetWorld(tmp_path)
    world.bank.execute(world.signed(tokens_to(BEN_TOKENS, 5)))
    world.bank.close()
    file = tmp_path / "snapshot"
    file.write_bytes(file.read_bytes()[:-3])
    again = Bank.open(tmp_path, world_genesis())
    assert int.from_bytes(again.account(BEN_TOKENS).data[64:72], "little") == 5
    again.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_the_chain_stays_on_this_machine_unless_told(host: str) -> None:
    with pytest.raises(RefusedForSafety, match="loopback only"):
        Ports(host=host).require_private()
    Ports(host=host, allow_public=True).require_private()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_no_permission(host: str) -> None:
    Ports(host=host).require_private()
