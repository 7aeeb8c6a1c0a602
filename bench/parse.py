"""Reading a node's reply into a transaction: typed structs against orjson and dictionaries, in one run, on the same bytes.

The peer builds the very same objects with the same checks, from dictionaries; both results are compared before anything is timed. With
recorded replies at ../shared/data they are recorded ones, else made ones of the same shape. CPU time, the best of many rounds, interleaved.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared" / "data" / "solana-transactions"
RATIO_MUST = 1.5
ROUNDS = 60
Json = Any


def replies() -> tuple[str, list[bytes]]:
    """What they are, and the bytes of each."""
    files = sorted(RECORDED.glob("*.json"))
    if files:
        return f"{len(files)} recorded replies", [file.read_bytes() for file in files]
    sys.path.insert(0, str(ROOT))
    from tests.fakes.made_replies import result_of
    from tests.fakes.made_transactions import routes

    made = [json.dumps({"jsonrpc": "2.0", "id": 1, "result": result_of(one, parsed=True)}).encode() for one in routes()]
    return f"{len(made)} made replies", made


def over_dictionaries(content: bytes) -> object:
    """The peer: orjson, then field by field."""
    import orjson
    from bench.parsing.orjson_transactions import parse_transaction

    return parse_transaction(orjson.loads(content)["result"])


def best_us(functions: dict[str, Callable[[bytes], object]], contents: list[bytes]) -> dict[str, float]:
    """Microseconds of CPU a reply."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            began = time.process_time()
            for content in contents:
                function(content)
            best[name] = min(best[name], (time.process_time() - began) / len(contents) * 1e6)
    return best


def measure() -> dict[str, object]:
    import orjson

    from xorj.adapters.solana_rpc.transactions import parse_reply

    what, contents = replies()
    unequal = sum(parse_reply(content) != over_dictionaries(content) for content in contents)
    best = best_us({"ours": parse_reply, "orjson": over_dictionaries, "orjson.loads alone": orjson.loads}, contents)
    return {
        "replies": what,
        "bytes_each": sum(map(len, contents)) // len(contents),
        "unequal_results": unequal,
        "ours_us": round(best["ours"], 1),
        "orjson_us": round(best["orjson"], 1),
        "orjson_loads_alone_us": round(best["orjson.loads alone"], 1),
        "ratio": round(best["orjson"] / best["ours"], 2),
        "ratio_must": RATIO_MUST,
    }


def main(arguments: list[str]) -> int:
    """Prints the figures; 1 when the results differ or the ratio is below what it must be."""
    parser = argparse.ArgumentParser(prog="xorj bench parse")
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(arguments).json
    sys.path.insert(0, str(ROOT))
    found = measure()
    ok = found["unequal_results"] == 0 and float(str(found["ratio"])) >= RATIO_MUST
    if as_json:
        print(json.dumps(found | {"ok": ok}))
    else:
        print(f"{found['replies']} of {found['bytes_each']} bytes, CPU time a reply:")
        print(f"ours {found['ours_us']} us; orjson and dictionaries {found['orjson_us']} us; unequal results: {found['unequal_results']}")
        print(f"ratio {found['ratio']} (must: {RATIO_MUST}): {'ok' if ok else 'FAILED'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
