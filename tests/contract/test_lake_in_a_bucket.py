"""A lake in a bucket: on a store in memory, and on a real one where XORJ_TEST_S3_ENDPOINT names one that has the bucket `lake`.

XORJ_TEST_S3_KEYS holds its keys as id:secret.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.fakes.made_swaps import VENUE, swapped, told, wallet
from tests.fakes.object_store import KEY_ID, SECRET, object_store

from xorj.adapters.lake.compaction import SIZES, compact, files_of
from xorj.adapters.lake.delta_lake import DeltaLake
from xorj.adapters.lake.exclusive_commits import require_exclusive_commits
from xorj.adapters.lake.place import BucketFolder, place_of
from xorj.adapters.lake.store import LakeStore, chain_of
from xorj.primitives.errors import InvalidInput, RefusedForSafety, Unavailable
from xorj.primitives.ids import LOCAL_GENESIS, Slot
from xorj.settings import InvalidSettings, LakeSettings, load

REAL = "XORJ_TEST_S3_ENDPOINT"


@pytest.fixture(params=["memory", "real"])
def place(request: pytest.FixtureRequest) -> Iterator[BucketFolder]:
    url = f"s3://lake/{uuid4()}"
    if request.param == "memory":
        with object_store() as store:
            yield BucketFolder(url, store.endpoint, "us-east-1", KEY_ID, SECRET)
        return
    endpoint = os.environ.get(REAL)
    if not endpoint:
        pytest.skip(f"no S3-compatible store: set {REAL}")
    key_id, _, secret = os.environ.get("XORJ_TEST_S3_KEYS", "").partition(":")
    yield BucketFolder(url, endpoint, "us-east-1", key_id, secret)


async def test_a_lake_in_a_bucket_is_written_compacted_and_read_as_one_in_a_folder(place: BucketFolder) -> None:
    with pytest.raises(InvalidInput, match="a place with a lake"):
        chain_of(place)
    lake = DeltaLake(place, LOCAL_GENESIS)
    records = [told(who, slot=slot, through=VENUE) for slot in range(1, 5) for who in ("ana", "ben")]
    await lake.commit(records[:4], {VENUE: Slot(2)})
    await lake.commit(records[4:], {VENUE: Slot(4)})
    again = DeltaLake(place, chain_of(place))
    assert await again.records(wallet("ana")) == records[::2]
    assert await again.venue_cursor(VENUE) == 4
    swaps, table = await again.swaps(), LakeStore(place, LOCAL_GENESIS).table()
    assert table is not None
    assert compact(table, place.files(), SIZES)
    assert await DeltaLake(place, LOCAL_GENESIS).swaps() == swaps
    after = LakeStore(place, LOCAL_GENESIS).table()
    assert after is not None
    assert [file.rows for file in files_of(after)] == [len(records) * 5]


async def test_of_two_ingesters_in_one_bucket_one_commits(place: BucketFolder) -> None:
    await DeltaLake(place, LOCAL_GENESIS).commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
    lakes = [DeltaLake(place, LOCAL_GENESIS) for _ in range(2)]
    for lake in lakes:
        await lake.cursors()
    records = [swapped("ana", "1 SOL", "90 USDC", slot=2)]
    outcomes = await asyncio.gather(*(lake.commit(records, {}) for lake in lakes), return_exceptions=True)
    assert all(outcome in (0, 1) or isinstance(outcome, Unavailable) for outcome in outcomes), outcomes
    assert outcomes.count(1) == 1
    assert len(await DeltaLake(place, LOCAL_GENESIS).swaps()) == 2


async def test_a_store_that_lets_two_writers_make_one_object_holds_no_lake() -> None:
    with object_store(is_atomic=False) as store:
        place = BucketFolder("s3://lake/here", store.endpoint, "us-east-1", KEY_ID, SECRET)
        with pytest.raises(RefusedForSafety, match="writers make the same object"):
            await DeltaLake(place, LOCAL_GENESIS).commit([swapped("ana", "1 SOL", "90 USDC", slot=1)], {})
        assert await DeltaLake(place, LOCAL_GENESIS).swaps() == []


def test_the_race_leaves_nothing_behind() -> None:
    with object_store() as store:
        require_exclusive_commits(BucketFolder("s3://lake/here", store.endpoint, "us-east-1", KEY_ID, SECRET))
        assert set(store.objects) <= {"lake/here/"}
        # the condition was asked of the store, not of ourselves
        assert store.requests["PUT 412"] > 0


async def test_what_the_store_refuses_is_said_without_its_keys() -> None:
    with object_store() as store:
        place = BucketFolder("s3://lake/here", store.endpoint, "us-east-1", "ANOTHER", SECRET)
        with pytest.raises(Unavailable) as refused:
            await DeltaLake(place, LOCAL_GENESIS).swaps()
    assert "s3://lake/here" in str(refused.value)
    assert SECRET not in f"{refused.value} {place!r} {place}"


def test_settings_name_the_bucket_and_read_its_keys_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden\n")
    secret.chmod(0o600)
    monkeypatch.setenv("XORJ_LAKE_SECRET_ACCESS_KEY_FILE", str(secret))
    monkeypatch.setenv("XORJ_LAKE_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("XORJ_LAKE_ENDPOINT", "http://127.0.0.1:9")
    assert place_of(load(LakeSettings), "s3://bucket/a/b") == BucketFolder(
        "s3://bucket/a/b", "http://127.0.0.1:9", "us-east-1", "id", "hidden"
    )
    monkeypatch.setenv("XORJ_LAKE_URL", "s3://bucket/c")
    assert str(place_of(load(LakeSettings))) == "s3://bucket/c"
    assert place_of(load(LakeSettings), "/somewhere") == Path("/somewhere")
    for wrong in ("s3://bucket", "s3:///folder", "gs://bucket/folder"):
        with pytest.raises(InvalidInput, match="s3://bucket/folder"):
            place_of(load(LakeSettings), wrong)
    monkeypatch.delenv("XORJ_LAKE_ACCESS_KEY_ID")
    with pytest.raises(InvalidSettings, match="need each other"):
        load(LakeSettings)


def test_without_settings_the_lake_is_in_the_data_folder(tmp_path: Path) -> None:
    assert place_of(load(LakeSettings, data_dir=tmp_path)) == tmp_path / "lake"
