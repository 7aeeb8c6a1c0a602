"""The signer, as execution sees it: one suite on the fake and on a real process behind its socket, then what only the process can do."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from solders.hash import Hash
from solders.message import MessageV1, to_bytes_versioned
from solders.pubkey import Pubkey
from tests.fakes.eventually import eventually
from tests.fakes.localnet_process import ROOT
from tests.fakes.simulated_desk import FakeSigner
from tests.fakes.trading_chain import BOT, OWNER, VAULT, TradingChain

from xorj.adapters.signer import key_file, wire
from xorj.adapters.signer.client import SignerClient
from xorj.adapters.signer.server import SigningServer
from xorj.adapters.solana_rpc.node import SolanaNode
from xorj.execution.execute_intents import is_signature_of
from xorj.execution.ports import Signer, SignerRefused
from xorj.observability.http import UnixAddress
from xorj.primitives.errors import Unavailable
from xorj.primitives.ids import Address, Signature
from xorj.vault.accounts import decode_policy, policy_address
from xorj.vault.instructions import Guard, burn_nonce

PASSPHRASE = b"a passphrase for the test"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingChain]:
    with TradingChain(tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the key of the bot that the chain's vault has granted."""
    folder = tmp_path_factory.mktemp("s")
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    for name, data in (("bot.json", key_file.sealed(BOT, PASSPHRASE)), ("bot.passphrase", PASSPHRASE)):
        (keys / name).write_bytes(data)
        (keys / name).chmod(0o600)
    return folder


@asynccontextmanager
async def signer_process(data_dir: Path, chain: TradingChain) -> AsyncIterator[tuple[Path, Path]]:
    """Its two sockets: for signatures, for health."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "XORJ_DATA_DIR": str(data_dir), "XORJ_RPC_URLS": chain.rpc_url}
    command = "import sys; from xorj.__main__ import main; sys.argv = ['xorj', 'run', 'signer']; main()"
    process = await asyncio.create_subprocess_exec("python", "-c", command, cwd=ROOT, env=environment | {"PATH": venv_path()})
    from xorj.supervisor.runtime_folder import runtime_folder

    folder = runtime_folder(data_dir / "run")
    signing, shown = folder / wire.SIGNING_SOCKET, folder / wire.HEALTH_SOCKET
    try:
        await asyncio.to_thread(eventually, lambda: listens(shown) and listens(signing), "the signer listens")
        yield signing, shown
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0, "SIGTERM ends it in order"


def listens(path: Path) -> bool:
    """A file may be a dead process' socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def venv_path() -> str:
    return f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"


@pytest.fixture(params=["fake", "process"])
async def signer(request: pytest.FixtureRequest, data_dir: Path, chain: TradingChain) -> AsyncIterator[Signer]:
    if request.param == "fake":
        yield FakeSigner(BOT)
        return
    async with signer_process(data_dir, chain) as (signing, _):
        client = SignerClient(signing)
        yield client
        await client.close()


async def burn(chain: TradingChain, nonce: int = 200) -> bytes:
    """A message that the policy allows and that costs nothing."""
    async with SolanaNode(chain.rpc_url) as node:
        (account,) = await node.accounts([Address(str(policy_address(VAULT)))])
        assert account is not None
        guard = Guard(nonce, decode_policy(account.data).bot_epoch, account.slot + 100)
    instruction = burn_nonce(BOT.pubkey(), OWNER.pubkey(), guard)
    return bytes(to_bytes_versioned(MessageV1.try_compile(BOT.pubkey(), [instruction], Hash.default())))


async def test_the_same_message_has_the_same_signature_and_old_leases_have_none(signer: Signer, chain: TradingChain) -> None:
    message = await burn(chain)
    first = await signer.sign(message, lease_epoch=100)
    assert isinstance(first, str)
    assert is_signature_of(Signature(first), BOT.pubkey(), message)
    assert await signer.sign(message, lease_epoch=100) == first
    assert await signer.sign(message, lease_epoch=101) == first
    refused = await signer.sign(message, lease_epoch=100)
    assert isinstance(refused, SignerRefused)
    assert refused.rule == "lease_epoch"


async def test_the_process_keeps_policy_leases_and_health_and_its_memory_to_itself(data_dir: Path, chain: TradingChain) -> None:
    async with signer_process(data_dir, chain) as (signing, shown):
        client = SignerClient(signing)
        assert await client.address() == str(BOT.pubkey())
        empty = bytes(to_bytes_versioned(MessageV1.try_compile(BOT.pubkey(), [], Hash.default())))
        refused = await client.sign(empty, lease_epoch=500)
        assert isinstance(refused, SignerRefused)
        assert refused.rule == "vault_instruction"
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in (signing, shown))
        async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=str(shown))) as http:
            ready = await http.get("http://signer/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ok")
            assert (await http.get("http://signer/version")).json()["service"] == "signer"
            assert "xorj_build_info" in (await http.get("http://signer/metrics")).text
            assert (await http.get("http://signer/livez")).status_code == 200
        await client.close()
    async with signer_process(data_dir, chain) as (signing, _):
        client = SignerClient(signing)
        older = await client.sign(empty, lease_epoch=499)
        assert isinstance(older, SignerRefused)
        assert older.rule == "lease_epoch", "a restart forgets no lease"
        await client.close()


async def test_what_is_no_request_ends_the_connection_and_nothing_else(data_dir: Path, chain: TradingChain) -> None:
    async with signer_process(data_dir, chain) as (signing, _):
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"{}\n", b"\0" * 10, b"x" * 100_000 + b"\n", b'{"message":"AQ==","lease_epoch":1e9}\n'):
            reader, writer = await asyncio.open_unix_connection(str(signing))
            writer.write(nonsense)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 5)
            assert answer == b"" or b"refused" in answer
            writer.close()
        client = SignerClient(signing)
        assert await client.address() == str(BOT.pubkey())
        await client.close()


@asynccontextmanager
async def server(tmp_path: Path, answer: object, **options: object) -> AsyncIterator[Path]:
    path = tmp_path / "s.sock"
    with UnixAddress(path).listening() as listening:
        task = asyncio.create_task(SigningServer(answer, **options).run(listening))  # type: ignore[arg-type]  # scripted by the test
        yield path
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_peer_of_another_user_is_not_answered(tmp_path: Path) -> None:
    async def answer(asked: object) -> wire.SignReply:
        raise AssertionError("nobody may ask")

    async with server(tmp_path, answer, uid=os.getuid() + 1) as path:
        client = SignerClient(path, deadline_s=2)
        with pytest.raises(Unavailable):
            await client.address()


async def test_a_slow_judgement_is_unavailable_and_the_next_is_answered(tmp_path: Path) -> None:
    slow = True

    async def answer(asked: object) -> wire.SignReply:
        if slow:
            await asyncio.Event().wait()
        return wire.SignReply(address=str(BOT.pubkey()))

    async with server(tmp_path, answer, request_s_max=0.05) as path:
        client = SignerClient(path)
        with pytest.raises(Unavailable, match="not decided"):
            await client.address()
        slow = False
        assert await client.address() == str(BOT.pubkey())
        await client.close()


async def test_an_unreadable_chain_is_unavailable_not_refused(tmp_path: Path) -> None:
    async def answer(asked: object) -> wire.SignReply:
        raise Unavailable("chain", "down")

    async with server(tmp_path, answer) as path:
        client = SignerClient(path)
        with pytest.raises(Unavailable, match="down"):
            await client.sign(b"message", lease_epoch=1)
        await client.close()


@pytest.mark.parametrize("reply", [wire.SignReply(signature="short"), wire.SignReply(address="x"), wire.SignReply(refused=("r", "d"))])
async def test_an_answer_to_another_question_is_unavailable(tmp_path: Path, reply: wire.SignReply) -> None:
    async def answer(asked: object) -> wire.SignReply:
        return reply

    async with server(tmp_path, answer) as path:
        client = SignerClient(path)
        with pytest.raises(Unavailable):
            await client.address()
        if reply.refused is None:
            with pytest.raises(Unavailable):
                await client.sign(b"message", lease_epoch=1)
        await client.close()


async def test_a_connection_whose_exchange_was_cut_is_not_used_again(tmp_path: Path) -> None:
    """Otherwise the next question would get the last one's answer."""
    answers = iter(("first", str(Pubkey.default())))
    release = asyncio.Event()

    async def answer(asked: object) -> wire.SignReply:
        name = next(answers)
        if name == "first":
            await release.wait()
        return wire.SignReply(address=name)

    async with server(tmp_path, answer) as path:
        client = SignerClient(path, deadline_s=0.1)
        with pytest.raises(Unavailable):
            await client.address()
        release.set()
        assert await client.address() == str(Pubkey.default())
        await client.close()


async def test_no_signer_at_all_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await SignerClient(tmp_path / "nobody.sock").address()


def test_a_living_signer_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with UnixAddress(path).listening(), pytest.raises(Unavailable, match="another process"):
        UnixAddress(path).listening()
