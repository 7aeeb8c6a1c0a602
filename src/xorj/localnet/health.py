"""The GET side of the chain's port: /livez, /readyz, /metrics, /version. Mounted by services/localnet.py."""

from collections.abc import Callable
from importlib.metadata import version

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from xorj.chain.transactions import Commitment
from xorj.localnet.live import LiveChain
from xorj.localnet.server import App, Receive, Scope, Send, reply

_JSON, _TEXT = b"application/json", b"text/plain; charset=utf-8"


def health_app(chain: LiveChain) -> App:
    """Answers the four paths every process has; the chain is ready as long as blocks follow one another."""
    registry = CollectorRegistry()
    registry.register(_ChainCollector(chain))
    pages: dict[str, Callable[[], tuple[int, bytes, bytes]]] = {
        "/livez": lambda: (200, b"ok\n", _TEXT),
        "/readyz": lambda: (200, b"ok\n", _TEXT) if chain.is_moving() else (503, b"no block for a while\n", _TEXT),
        "/metrics": lambda: (200, generate_latest(registry), CONTENT_TYPE_LATEST.encode()),
        "/version": lambda: (200, orjson.dumps({"name": "localnet", "version": version("xorj"), "funds": "worthless"}), _JSON),
    }

    async def get(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        page = pages.get(scope["path"])
        status, body, kind = page() if page is not None else (404, b"POST JSON-RPC here\n", _TEXT)
        await reply(send, status, body, kind)

    return get


class _ChainCollector:
    """Reads the chain when Prometheus asks."""

    def __init__(self, chain: LiveChain) -> None:
        self._chain = chain

    def collect(self) -> list[Metric]:
        blocks = self._chain.bank.blocks
        slots = GaugeMetricFamily("xorj_localnet_slot", "Newest slot at a commitment.", labels=["commitment"])
        for commitment in Commitment:
            slots.add_metric([commitment.value], blocks.slot_at(commitment))
        landed = CounterMetricFamily("xorj_localnet_transactions", "Transactions landed since genesis.", value=blocks.transaction_count)
        listeners = GaugeMetricFamily("xorj_localnet_subscribers", "Open WebSocket connections.", value=len(self._chain.listeners))
        return [slots, landed, listeners]
