"""The place of a lake: a folder here, or one in a bucket of an S3-compatible store. Made from the settings by whoever opens a lake."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow.fs as fs

from xorj.primitives.errors import InvalidInput

S3 = "s3://"
CONNECTS_WITHIN_S = 5
ANSWERS_WITHIN_S = 30
REQUEST_RETRIES_MAX = 5
RETRIES_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class BucketFolder:
    """A folder of a bucket, `s3://bucket/folder`, and how to reach it. Without keys the environment's own are used, as AWS tools do."""

    url: str
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        bucket, _, folder = self.url.removeprefix(S3).partition("/")
        if not self.url.startswith(S3) or not bucket or not folder.strip("/"):
            raise InvalidInput("lake", given=self.url, rule="s3://bucket/folder")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise InvalidInput("lake", given=self.url, rule="both keys of the store, or neither")

    def __str__(self) -> str:
        return self.url

    @property
    def options(self) -> dict[str, str]:
        """What delta-rs needs to know. A commit is a conditional put: of two writers of one version the store refuses one."""
        given = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_ALLOW_HTTP": "true" if (self.endpoint or "").startswith("http://") else None,
            "AWS_CONDITIONAL_PUT": "etag",
            "connect_timeout": f"{CONNECTS_WITHIN_S}s",
            "timeout": f"{ANSWERS_WITHIN_S}s",
            "max_retries": str(REQUEST_RETRIES_MAX),
            "retry_timeout": f"{RETRIES_WITHIN_S}s",
        }
        return {name: value for name, value in given.items() if value is not None}

    def files(self) -> fs.FileSystem:
        store = fs.S3FileSystem(
            access_key=self.access_key_id,
            secret_key=self.secret_access_key,
            endpoint_override=self.endpoint,
            region=self.region,
            connect_timeout=CONNECTS_WITHIN_S,
            request_timeout=ANSWERS_WITHIN_S,
            # a file is put in one piece, and is there whole or not at all
            allow_delayed_open=True,
        )
        return fs.SubTreeFileSystem(self.url.removeprefix(S3).rstrip("/"), store)


Place = Path | BucketFolder


class LakeSettings(Protocol):
    """What the settings of a process say of its lake."""

    @property
    def lake_url(self) -> str | None: ...

    @property
    def data_dir(self) -> Path: ...

    @property
    def lake_endpoint(self) -> str | None: ...

    @property
    def lake_region(self) -> str: ...

    @property
    def lake_keys(self) -> tuple[str, str] | None: ...


def place_of(settings: LakeSettings, url: str | None = None) -> Place:
    """The lake at `url`, or at the settings' own, or in the data folder. Raises InvalidInput."""
    wanted = url or settings.lake_url
    if wanted is None:
        return settings.data_dir / "lake"
    if not wanted.startswith(S3):
        if "://" in wanted:
            raise InvalidInput("lake", given=wanted, rule="a folder or s3://bucket/folder")
        return Path(wanted).expanduser().absolute()
    key_id, secret = settings.lake_keys or (None, None)
    return BucketFolder(wanted, settings.lake_endpoint, settings.lake_region, key_id, secret)
