"""The emergency stop at the API: what is told of each vault, to whom, and how long a bot at work is waited for."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.fakes.gateway_world import BOT, MAINNET_GENESIS, ORIGIN, GatewayWorld, place
from tests.fakes.shown_rows import plant_user
from tests.integration.test_gateway_access import STOP
from tests.integration.test_gateway_bot import ANA, BEN

from xorj.adapters.postgres.bot_controls import PostgresBotControls
from xorj.primitives.ids import Address, Signature, Slot, Wallet
from xorj.reporting.ports import Audience
from xorj.reporting.stops import BrakeReport, StopReport, VaultStop

pytestmark = pytest.mark.database

PAUSED = BrakeReport("pause", "done", Signature("pause"), Slot(12), None, None, "a person", None)
BURNED = BrakeReport("burn", "done", Signature("burn"), Slot(13), "intent", 4, "a person", None)


class Stops:
    """Implements StopReader: the bot is done at the third look."""

    def __init__(self) -> None:
        self.looks = 0

    async def report(self, audience: Audience) -> StopReport:
        self.looks += 1
        brakes = [PAUSED, BURNED] if self.looks >= 3 else []
        vault = VaultStop(Address("vault"), Wallet("owner"), paused=False, in_doubt=0 if brakes else 1, brakes=brakes)
        return StopReport(True, "a person", [vault], 1)


async def test_a_bot_at_work_is_waited_for_and_what_it_did_is_told(engine: AsyncEngine) -> None:
    stops = Stops()
    world = GatewayWorld(engine, stops=stops)
    await PostgresBotControls(engine).beat(Slot(10), gate_open=True)
    async with world.browser(cookies={"xorj_session": (await world.parts.doorkeeper.visit()).token}) as browser:
        told = (await browser.post("/api/bot/emergency", json=STOP, headers={"origin": ORIGIN})).json()
        again = (await browser.get("/api/bot/emergency")).json()
    assert (told["stopped"], told["complete"], stops.looks) == (True, True, 4)
    (vault,) = told["vaults"]
    assert [(one["kind"], one["status"], one["signature"], one["nonce"]) for one in vault["brakes"]] == [
        ("pause", "done", "pause", None),
        ("burn", "done", "burn", 4),
    ]
    assert again["vaults"] == told["vaults"]


async def test_without_a_bot_at_work_nobody_waits(engine: AsyncEngine) -> None:
    stops = Stops()
    world = GatewayWorld(engine, stops=stops)
    async with world.browser(cookies={"xorj_session": (await world.parts.doorkeeper.visit()).token}) as browser:
        told = (await browser.post("/api/bot/emergency", json=STOP, headers={"origin": ORIGIN})).json()
    assert (told["complete"], stops.looks) == (False, 1)


async def test_a_wallet_reads_of_its_own_vaults_and_a_stranger_of_none(engine: AsyncEngine) -> None:
    world = GatewayWorld(engine, at=place(genesis=MAINNET_GENESIS))
    async with engine.begin() as connection:
        await plant_user(connection, "ana", str(ANA.pubkey()), vault="vault of ana", bot=str(BOT))
        await plant_user(connection, "ben", str(BEN.pubkey()), vault="vault of ben", bot=str(BOT))
    await world.parts.kill_switch.stop("a person", actor="person")
    async with world.wallet(ANA) as ana:
        found = await ana.stopping()
    assert ([vault.vault for vault in found.vaults], found.vaults_count, found.complete) == (["vault of ana"], 1, False)
    async with world.browser() as browser:
        nobody = (await browser.get("/api/bot/emergency")).json()
    assert (nobody["stopped"], nobody["vaults"]) == (True, [])
