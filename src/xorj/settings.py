"""What can be set from outside: one frozen class a process, `XORJ_` names. Read by services and cli alone, once, at start.

Every secret can stand in a file instead: `XORJ_X_FILE` names a file that only its owner may read. `.env` beside the checkout is read too.
`load` reports all problems at once, by variable, and never shows what a secret holds.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from dotenv import dotenv_values
from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from xorj.primitives.errors import InvalidInput
from xorj.primitives.ids import LOCAL_GENESIS

PREFIX = "XORJ_"
FILE_SUFFIX = "_FILE"
SECRET_FILE_BYTES_MAX = 64 * 1024
PORT_OFFSET_MAX = 50_000
SESSION_KEY_CHARACTERS_MIN = 32
DISCOVERY_HOURS = 24.0
CHECKOUT = Path(__file__).resolve().parents[2]
# Names with our prefix that are no settings of a process: tests and builds read them.
OTHER_NAMES = ("XORJ_TEST_", "XORJ_PROGRAM_TOOLS")

RPC_PORT, WEBSOCKET_PORT, JUPITER_PORT = 8899, 8900, 8890
WEB_PORT, GATEWAY_PORT, QUANT_ENGINE_PORT, TRADE_BOT_PORT = 3000, 8000, 8001, 8002
GENESIS = {
    "local": LOCAL_GENESIS,
    "devnet": "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrtBG",
    "mainnet": "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
}

Environment = Literal["local", "devnet", "mainnet"]
Port = Annotated[int, Field(ge=1, le=65_535)]


class InvalidSettings(InvalidInput):
    """Everything that is wrong with the settings of one process, one line a variable."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("settings", given=", ".join(problems), rule="each variable as it says")
        self.args = ("these settings cannot be used:\n" + "\n".join(f"  {name}: {rule}" for name, rule in problems.items()),)


def home() -> Path:
    """The checkout that this package runs from, or the current folder where it is installed without one."""
    return CHECKOUT if (CHECKOUT / "pyproject.toml").exists() else Path.cwd()


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]


def setting(default: Any, what: str, *, unit: str = "", alias: str = "", shown: str = "", **limits: Any) -> Any:
    """One setting: default, what it does, unit where the name does not end in one, a well-known other name, the default as it is shown."""
    if alias:
        limits["validation_alias"] = AliasChoices(PREFIX + alias, alias)
    given: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    return Field(**given, description=what, json_schema_extra={"unit": unit, "shown": shown}, **limits)


class CommonSettings(BaseSettings):
    """What every process needs to know."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    environment: Environment = setting("local", "which chain this is for: local, devnet or mainnet")
    data_dir: Folder = setting(lambda: home() / ".xorj", "folder of everything that is kept", shown=".xorj in the checkout")
    bind_host: str = setting("127.0.0.1", "address that the process listens on")
    port_offset: int = setting(0, "added to every port", ge=0, le=PORT_OFFSET_MAX)
    log_format: Literal["auto", "json", "console"] = setting("auto", "json, console, or auto: console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "least level that is logged")

    @property
    def genesis(self) -> str:
        """The genesis hash of the chain that this environment means."""
        return GENESIS[self.environment]

    @property
    def is_local(self) -> bool:
        return self.environment == "local"

    @property
    def run_dir(self) -> Path:
        """Folder of pid files and sockets."""
        return self.data_dir / "run"

    @property
    def quant_engine_url(self) -> str:
        return f"http://127.0.0.1:{QUANT_ENGINE_PORT + self.port_offset}"

    @property
    def trade_bot_url(self) -> str:
        return f"http://127.0.0.1:{TRADE_BOT_PORT + self.port_offset}"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{GATEWAY_PORT + self.port_offset}"


class DatabaseSettings(CommonSettings):
    """Of every process that keeps something in PostgreSQL."""

    database_url: SecretStr | None = setting(
        None, "PostgreSQL to use instead of the embedded one", alias="DATABASE_URL", shown="the embedded server"
    )
    database_connections_min: int = setting(5, "connections kept open", ge=1, le=50)
    database_connections_max: int = setting(50, "connections at most", ge=1, le=200)

    @property
    def database_tls_required(self) -> bool:
        return self.environment == "mainnet"

    def require_database_url(self) -> str:
        """The URL. Raises InvalidSettings when there is none: only `up` starts the embedded server."""
        if self.database_url is None:
            raise InvalidSettings({"XORJ_DATABASE_URL": "is needed by a process that runs alone; ./xorj up sets it"})
        return self.database_url.get_secret_value()

    @model_validator(mode="after")
    def _pool_is_possible(self) -> Self:
        if self.database_connections_min > self.database_connections_max:
            raise ValueError("XORJ_DATABASE_CONNECTIONS_MIN is above XORJ_DATABASE_CONNECTIONS_MAX")
        return self


class RedisSettings(CommonSettings):
    """Of the processes that may use Redis; without it PostgreSQL does the same, slower."""

    redis_url: SecretStr | None = setting(None, "Redis for sessions, rate limits and caches", alias="REDIS_URL", shown="PostgreSQL instead")


class ChainSettings(CommonSettings):
    """Of every process that reads the chain. Provider addresses carry keys, so they are secret."""

    rpc_urls: SecretStr | None = setting(
        None,
        "JSON-RPC addresses of independent providers, separated by commas; two or more outside the local chain",
        shown="the local chain",
    )
    rpc_websocket_url: SecretStr | None = setting(None, "WebSocket address of a provider", shown="the first of XORJ_RPC_URLS by ws")
    vault_program_id: str = setting("5B8QtPsScaQsw392vnGnUaoiRQ8gy5LzzKdNeXe4qghR", "address of the vault program")

    @property
    def rpc_endpoints(self) -> tuple[str, ...]:
        """The providers' addresses in order of preference."""
        if self.rpc_urls is None:
            return (f"http://127.0.0.1:{RPC_PORT + self.port_offset}",)
        return tuple(part.strip() for part in self.rpc_urls.get_secret_value().split(",") if part.strip())

    @property
    def websocket_endpoint(self) -> str:
        if self.rpc_websocket_url is not None:
            return self.rpc_websocket_url.get_secret_value()
        return "ws" + self.rpc_endpoints[0].removeprefix("http")

    @model_validator(mode="after")
    def _providers_are_enough(self) -> Self:
        if not self.is_local and len(set(self.rpc_endpoints)) < 2:
            raise ValueError("XORJ_RPC_URLS needs two independent providers outside the local chain")
        return self


class JupiterSettings(CommonSettings):
    """Of the processes that ask Jupiter for routes, prices and token lists."""

    jupiter_url: str | None = setting(None, "base address of Jupiter's API", shown="the local chain's own on 8890")
    jupiter_api_key: SecretStr | None = setting(None, "key for Jupiter's API")
    pyth_url: str = setting("https://pyth.dourolabs.app/hermes", "base address of Pyth's Hermes")
    pyth_api_key: SecretStr | None = setting(None, "key for Pyth, which is asked first where it has a feed", shown="none: not asked")
    birdeye_url: str = setting("https://public-api.birdeye.so", "base address of Birdeye's API")
    birdeye_api_key: SecretStr | None = setting(None, "key for Birdeye, the second source of thin mints' prices", shown="none: not asked")
    price_age_s_max: int = setting(60, "age of a price that still counts", ge=1, le=600)
    price_confidence_bps_max: int = setting(200, "half the range that a source believes in, of the price", ge=1, le=2_000)
    price_disagreement_bps_max: int = setting(300, "how far sources may be apart", ge=1, le=2_000)

    @property
    def jupiter_endpoint(self) -> str:
        return self.jupiter_url or f"http://127.0.0.1:{JUPITER_PORT + self.port_offset}"


class ServiceSettings(CommonSettings):
    """Of the processes that ask each other over HTTP."""

    service_token: SecretStr | None = setting(
        None, "what our processes show each other on internal routes", shown="a file in keys/ that ./xorj up makes"
    )

    def require_service_token(self) -> str:
        """Raises InvalidSettings when there is none."""
        if self.service_token is None or not self.service_token.get_secret_value():
            raise InvalidSettings({"XORJ_SERVICE_TOKEN": "is needed by a process that runs alone; ./xorj up sets it"})
        return self.service_token.get_secret_value()


class LocalnetSettings(CommonSettings):
    """The local chain."""

    slot_ms: int = setting(200, "time between slots", ge=10, le=10_000)
    allow_public: bool = setting(False, "let the local chain listen on an address that others reach")
    seed: int = setting(1, "what the demo market is made from", ge=0)
    market: bool = setting(True, "with the demo market and its leaders, or a bare chain")
    replay: Path | None = setting(None, "recorded swaps to play instead of the demo market", shown="the demo market")


class ClusterSettings(CommonSettings):
    """Of the commands that compute in bulk."""

    ray_address: str | None = setting(None, "Ray cluster to compute on, host:port or ray://host:port", shown="one on this machine alone")


class LakeSettings(CommonSettings):
    """Where the history of swaps is kept, of the quant engine and of the commands that read it."""

    lake_url: str | None = setting(None, "where the lake is: a folder, or s3://bucket/folder", shown="lake/ in the data folder")
    lake_endpoint: str | None = setting(None, "address of an S3-compatible store that is not AWS", shown="AWS's of the region")
    lake_region: str = setting("us-east-1", "region of the lake's bucket")
    lake_access_key_id: SecretStr | None = setting(None, "key id for the lake's bucket", shown="what AWS tools would use")
    lake_secret_access_key: SecretStr | None = setting(None, "secret key for the lake's bucket", shown="what AWS tools would use")

    @property
    def lake_keys(self) -> tuple[str, str] | None:
        """Key id and secret of the bucket, None where the environment's own are to be used."""
        if self.lake_access_key_id is None or self.lake_secret_access_key is None:
            return None
        return self.lake_access_key_id.get_secret_value(), self.lake_secret_access_key.get_secret_value()

    @model_validator(mode="after")
    def _lake_can_be_reached(self) -> Self:
        if (self.lake_access_key_id is None) != (self.lake_secret_access_key is None):
            raise ValueError("XORJ_LAKE_ACCESS_KEY_ID and XORJ_LAKE_SECRET_ACCESS_KEY need each other")
        if self.environment == "mainnet" and (self.lake_endpoint or "").startswith("http://"):
            raise ValueError("XORJ_LAKE_ENDPOINT needs https on mainnet")
        return self


class TrustSettings(CommonSettings):
    """Which score ranks and decides who is copied."""

    trust_model: Literal["v1", "v2"] = setting("v2", "score that ranks: v2, the trust score, or v1, the classic one")


class HistorySettings(ChainSettings):
    """How the history of wallets is read: of the quant engine and of `swaps backfill`."""

    rpc_allowances: str = setting(
        "", "weight and requests a second of each provider when history is read, in their order: 3:50, 1:10", shown="1:10 each"
    )
    rpc_full_history: str = setting(
        "", "numbers of the providers that offer getTransactionsForAddress: 1,3", shown="those at helius-rpc.com"
    )
    watched_wallets: str = setting("", "wallets to read and rank whatever they trade, beside those of `swaps watch`, separated by commas")
    history_since: date | None = setting(None, "first day (UTC) of a new wallet's history, YYYY-MM-DD", shown="its first transaction")
    discovery_hours: float | None = setting(None, "how far back venues are read at first; 0 for all", shown="24; local: all", ge=0)

    @property
    def history_since_s(self) -> int | None:
        """In unix seconds."""
        return None if self.history_since is None else int(datetime.combine(self.history_since, time(), UTC).timestamp())

    @property
    def discovery_s(self) -> float | None:
        """None for everything."""
        hours = self.discovery_hours if self.discovery_hours is not None else 0.0 if self.is_local else DISCOVERY_HOURS
        return hours * 3_600 or None


class QuantEngineSettings(DatabaseSettings, RedisSettings, HistorySettings, JupiterSettings, ServiceSettings, TrustSettings, LakeSettings):
    """Ingestion, performance, scores, rankings."""

    scoring_every_s: float = setting(10.0, "time between scoring runs while there is something new", ge=1, le=86_400)
    allow_unscored: bool = setting(False, "rank wallets whose record is too short to judge; local chain alone")


class TradeBotSettings(DatabaseSettings, RedisSettings, ChainSettings, JupiterSettings, ServiceSettings, TrustSettings):
    """Watches leaders, plans copies, executes and settles them."""

    copy_score_min: float = setting(50.0, "trust score from which a leader is copied; none on the classic one", ge=0, le=100)
    leader_exposure_bps: int = setting(500, "share of all followers' deposits that one leader or owner may steer", ge=1, le=10_000)
    leader_exposure_floor_usd: int = setting(500, "at stake with one leader whatever that share is", ge=0, le=1_000_000)
    leader_ramp_days: int = setting(30, "days of live copies until a new leader's share is whole", ge=1, le=365)

    webhook_url: SecretStr | None = setting(
        None, "HTTPS address that is told of decisions, settlements and stops, as Standard Webhooks", shown="the log instead"
    )
    webhook_secret: SecretStr | None = setting(
        None, "what messages to it are signed with: whsec_ and the base64 of 24 to 64 random bytes", shown="none"
    )
    trade_bot_hold: Literal["signed", "sent", "confirmed"] | None = setting(
        None, "moment of its next trade at which the bot stands still to be killed; local chain alone", shown="none"
    )

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> Self:
        if (self.webhook_url is None) != (self.webhook_secret is None):
            raise ValueError("XORJ_WEBHOOK_URL and XORJ_WEBHOOK_SECRET need each other")
        return self


class SignerSettings(ChainSettings):
    """The only process that can use the bot's key."""

    signer_key_file: Folder | None = setting(None, "the bot's encrypted key, mode 0600", shown="keys/bot.json in the data folder")
    signer_passphrase_file: Folder | None = setting(
        None, "the passphrase that opens it, mode 0600", shown="keys/bot.passphrase in the data folder"
    )
    signer_priority_fee_lamports_max: int = setting(1_000_000, "priority fee of one transaction that is still signed", ge=0)

    @property
    def key_path(self) -> Path:
        return self.signer_key_file or self.data_dir / "keys" / "bot.json"

    @property
    def passphrase_path(self) -> Path:
        return self.signer_passphrase_file or self.data_dir / "keys" / "bot.passphrase"


class UpSettings(DatabaseSettings, SignerSettings):
    """What `xorj up` itself needs to know of those that it starts."""


class GatewaySettings(DatabaseSettings, RedisSettings, ChainSettings, JupiterSettings, ServiceSettings):
    """Sign-in, sessions, limits, routes."""

    public_origin: str | None = setting(
        None, "where people open the page, scheme and host alone; what wallets sign names it", shown="http://127.0.0.1:3000"
    )
    allowed_hosts: str = setting("", "further names that requests may call this server by, separated by commas; * for any")
    allowed_origins: str = setting(
        "https://xorj.ai,https://app.xorj.ai,https://dashboard.xorj.ai",
        "origins of other sites whose pages may use the API, separated by commas",
    )
    session_key: SecretStr | None = setting(
        None,
        "what sessions are signed with, 32 characters or more, the same for gateway and web",
        shown="a file in keys/ that ./xorj up makes",
    )
    operators: str = setting("", "wallets that may stop and resume everybody's trading, separated by commas")
    bot_address: str | None = setting(None, "public key of the bot that owners grant", shown="the local signer's")

    @property
    def origin(self) -> str:
        return self.public_origin or f"http://127.0.0.1:{WEB_PORT + self.port_offset}"

    def require_session_key(self) -> str:
        """Raises InvalidSettings when there is none that is long enough."""
        key = self.session_key.get_secret_value() if self.session_key else ""
        if len(key) < SESSION_KEY_CHARACTERS_MIN:
            raise InvalidSettings({"XORJ_SESSION_KEY": f"needs {SESSION_KEY_CHARACTERS_MIN} characters or more; ./xorj up makes one"})
        return key


class WebSettings(GatewaySettings):
    """Pages of port 3000, with the gateway's routes."""


class DemoFollowerSettings(ChainSettings):
    """The demo's follower, who uses the API as a wallet would."""


PROCESSES: Mapping[str, type[CommonSettings]] = {
    "quant-engine": QuantEngineSettings,
    "trade-bot": TradeBotSettings,
    "signer": SignerSettings,
    "gateway": GatewaySettings,
    "web": WebSettings,
    "localnet": LocalnetSettings,
    "demo-follower": DemoFollowerSettings,
    "migrate": DatabaseSettings,
    "signer-key": SignerSettings,
    "performance": ClusterSettings,
    "lake": LakeSettings,
    "swaps backfill": HistorySettings,
}

S = TypeVar("S", bound=CommonSettings)


def load(process: type[S], **chosen: Any) -> S:
    """The settings of one process from `chosen` (command line), environment and `.env`, in this order.

    Raises InvalidSettings with every problem at once.
    """
    dotenv = home() / ".env"
    environment = {**{name: value for name, value in dotenv_values(dotenv).items() if value is not None}, **os.environ}
    problems: dict[str, str] = {}
    values = {name: value for name, value in chosen.items() if value is not None}
    for name, field in process.model_fields.items():
        if name not in values and is_secret(field) and (from_file := _from_file(name, field, environment, problems)) is not None:
            values[name] = from_file
    try:
        loaded = process(**{"_env_file": dotenv, **values})
    except ValidationError as error:
        problems |= {_variable(one["loc"], process): one["msg"].removeprefix("Value error, ") for one in error.errors(include_input=False)}
    if problems:
        raise InvalidSettings(problems)
    return loaded


def secrets(settings: CommonSettings) -> Iterator[str]:
    """The values that no log may show."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables with our prefix that nothing reads, each with the setting it may have been meant to be, or an empty text."""
    known = {variable for process in PROCESSES.values() for name, field in process.model_fields.items() for variable in _names(name, field)}
    strange = [name for name in environment if name.startswith(PREFIX) and name not in known and not name.startswith(OTHER_NAMES)]
    return {name: next(iter(get_close_matches(name, known, 1)), "") for name in strange}


def example() -> str:
    """The text of `.env.example`: every setting once, under the class that has it."""
    lines = ["# Every setting, with its default. Copy to .env and uncomment what differs.", "# A secret may stand in a file of mode 0600:"]
    lines += ["# XORJ_DATABASE_URL_FILE=/run/secrets/database_url"]
    classes = dict.fromkeys(one for process in PROCESSES.values() for one in reversed(process.mro()) if issubclass(one, CommonSettings))
    for one in classes:
        own = {name: field for name, field in one.model_fields.items() if name in one.__annotations__}
        if own:
            title = (one.__doc__ or "").splitlines()[0]
            lines += ["", f"# == {title}", *(line for name, field in own.items() for line in _example_lines(name, field))]
    return "\n".join(lines) + "\n"


def _example_lines(name: str, field: FieldInfo) -> list[str]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = str(extra.get("shown") or field.default)
    facts = [f"default: {default}", *([f"unit: {extra['unit']}"] if extra.get("unit") else []), *(["secret"] if is_secret(field) else [])]
    value = "" if extra.get("shown") or is_secret(field) or field.default is None else default
    return [f"# {field.description} ({'; '.join(facts)})", f"#{_names(name, field)[0]}={value}"]


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting holds what no log and no error may show."""
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _names(name: str, field: FieldInfo) -> list[str]:
    """The variables that set one field, the most common first; of secrets their files' too."""
    alias = field.validation_alias
    names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [PREFIX + name.upper()]
    return names + [variable + FILE_SUFFIX for variable in names if is_secret(field)]


def _variable(location: tuple[int | str, ...], process: type[CommonSettings]) -> str:
    """The variable that an error is about; a rule that spans several names them itself."""
    if not location:
        return "together"
    field = process.model_fields.get(str(location[0]))
    return _names(str(location[0]), field)[0] if field is not None else str(location[0])


def _from_file(name: str, field: FieldInfo, environment: Mapping[str, str], problems: dict[str, str]) -> SecretStr | None:
    """The secret that a `_FILE` variable points to, without the newline at its end."""
    given = [variable for variable in _names(name, field) if environment.get(variable)]
    files = [variable for variable in given if variable.endswith(FILE_SUFFIX)]
    if not files:
        return None
    variable = files[0]
    if len(given) > 1:
        problems[variable] = f"is set beside {', '.join(other for other in given if other != variable)}; keep one"
        return None
    try:
        return SecretStr(_read_private(_absolute(Path(environment[variable]))))
    except (OSError, ValueError) as error:
        problems[variable] = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        return None


def _read_private(path: Path) -> str:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise ValueError(f"names a file that others may read (mode {mode:04o}); chmod 600 it")
        content = file.read(SECRET_FILE_BYTES_MAX + 1)
    if len(content) > SECRET_FILE_BYTES_MAX:
        raise ValueError(f"names a file of more than {SECRET_FILE_BYTES_MAX} bytes")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("names a file that is not text") from None
