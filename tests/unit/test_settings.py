"""Settings as an operator meets them: environment, files for secrets, all problems at once, and the example that lists every one."""

from pathlib import Path

import pytest

from xorj import settings
from xorj.primitives.errors import InvalidInput
from xorj.settings import GatewaySettings, InvalidSettings, LocalnetSettings, QuantEngineSettings, TradeBotSettings, WebSettings, load

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-of-the-database"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in os.environ:
        if name.startswith("XORJ_") or name in {"DATABASE_URL", "REDIS_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr(settings, "home", lambda: tmp_path)


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_nothing_has_to_be_set_for_the_local_chain() -> None:
    for process in settings.PROCESSES.values():
        assert load(process).environment == "local"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("XORJ_PORT_OFFSET=1\nXORJ_LOG_LEVEL=error\nXORJ_LOG_FORMAT=json\n")
    monkeypatch.setenv("XORJ_PORT_OFFSET", "2")
    monkeypatch.setenv("XORJ_LOG_LEVEL", "debug")
    loaded = load(LocalnetSettings, port_offset=3, data_dir=None)
    assert (loaded.port_offset, loaded.log_level, loaded.log_format) == (3, "debug", "json")


def test_an_offset_moves_what_the_processes_look_for() -> None:
    loaded = load(TradeBotSettings, port_offset=1000)
    assert loaded.rpc_endpoints == ("http://127.0.0.1:9899",)
    assert loaded.websocket_endpoint == "ws://127.0.0.1:9899"
    assert (loaded.jupiter_endpoint, loaded.quant_engine_url) == ("http://127.0.0.1:9890", "http://127.0.0.1:9001")


@pytest.mark.parametrize("name", ["DATABASE_URL", "XORJ_DATABASE_URL"])
def test_the_well_known_name_and_our_own_both_set_the_database(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "postgresql://elsewhere/xorj")
    assert load(QuantEngineSettings).require_database_url() == "postgresql://elsewhere/xorj"


def test_a_process_alone_is_told_that_it_needs_a_database() -> None:
    with pytest.raises(InvalidSettings, match=r"XORJ_DATABASE_URL.*xorj up sets it"):
        load(QuantEngineSettings).require_database_url()


def test_a_secret_may_stand_in_a_private_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", str(private(tmp_path / "url", f"postgresql://xorj:{SECRET}@db/xorj\n")))
    assert load(WebSettings).require_database_url() == f"postgresql://xorj:{SECRET}@db/xorj"


def test_the_file_of_a_secret_may_be_named_in_dotenv(tmp_path: Path) -> None:
    path = private(tmp_path / "key", "abc")
    (tmp_path / ".env").write_text(f"XORJ_JUPITER_API_KEY_FILE={path}\n")
    key = load(TradeBotSettings).jupiter_api_key
    assert key is not None
    assert key.get_secret_value() == "abc"


@pytest.mark.parametrize(
    ("content", "mode", "rule"),
    [
        (b"x", 0o640, "others may read"),
        (b"x", 0o604, "others may read"),
        (b"\xff\xfe", 0o600, "not text"),
        (b"x" * (settings.SECRET_FILE_BYTES_MAX + 1), 0o600, "more than"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_file_that_cannot_hold_a_secret_is_refused(
    content: bytes | None, mode: int, rule: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    monkeypatch.setenv("REDIS_URL_FILE", str(path))
    with pytest.raises(InvalidSettings, match=rule) as refused:
        load(GatewaySettings)
    assert list(refused.value.problems) == ["REDIS_URL_FILE"]


def test_a_secret_set_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@a")
    monkeypatch.setenv("XORJ_REDIS_URL_FILE", str(private(tmp_path / "url", "redis://b")))
    with pytest.raises(InvalidSettings, match="is set beside REDIS_URL; keep one") as refused:
        load(GatewaySettings)
    assert SECRET not in str(refused.value)


def test_all_problems_are_told_at_once_by_variable_and_without_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XORJ_PORT_OFFSET", "many")
    monkeypatch.setenv("XORJ_LOG_LEVEL", "loud")
    monkeypatch.setenv("XORJ_DATABASE_CONNECTIONS_MAX", "0")
    monkeypatch.setenv("XORJ_DATABASE_URL", f"postgresql://xorj:{SECRET}@db/xorj")
    monkeypatch.setenv("XORJ_REDIS_URL_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput) as refused:
        load(GatewaySettings)
    told = str(refused.value)
    for variable in ("XORJ_PORT_OFFSET", "XORJ_LOG_LEVEL", "XORJ_DATABASE_CONNECTIONS_MAX", "XORJ_REDIS_URL_FILE"):
        assert f"  {variable}: " in told
    assert SECRET not in told


def test_secrets_show_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://xorj:{SECRET}@db/xorj")
    loaded = load(TradeBotSettings)
    assert SECRET not in f"{loaded} {loaded!r} {loaded.model_dump()} {loaded.model_dump_json()}"
    assert list(settings.secrets(loaded)) == [f"postgresql://xorj:{SECRET}@db/xorj"]


def test_one_provider_is_not_enough_away_from_the_local_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XORJ_ENVIRONMENT", "devnet")
    monkeypatch.setenv("XORJ_RPC_URLS", "https://one.example,https://one.example")
    with pytest.raises(InvalidSettings, match="two independent providers"):
        load(QuantEngineSettings)
    monkeypatch.setenv("XORJ_RPC_URLS", "https://one.example, https://two.example")
    loaded = load(QuantEngineSettings)
    assert loaded.rpc_endpoints == ("https://one.example", "https://two.example")
    assert loaded.websocket_endpoint == "wss://one.example"
    assert loaded.genesis == settings.GENESIS["devnet"]


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(LocalnetSettings).port_offset = 1


def test_a_misspelt_variable_is_found_with_what_it_was_meant_to_be() -> None:
    environment = {"XORJ_PORT_OFSET": "1", "XORJ_LOG_LEVEL": "info", "XORJ_TEST_POSTGRES_BIN": "/bin", "PATH": "/bin"}
    assert settings.unknown(environment) == {"XORJ_PORT_OFSET": "XORJ_PORT_OFFSET"}


def test_the_example_has_every_setting_once_with_words_and_marks_secrets() -> None:
    lines = settings.example().splitlines()
    variables = [line[1:].split("=")[0] for line in lines if line.startswith("#XORJ_")]
    known = {
        (name, field.description, settings.is_secret(field))
        for process in settings.PROCESSES.values()
        for name, field in process.model_fields.items()
    }
    assert len(variables) == len(set(variables)) == len(known)
    for name, description, is_secret in known:
        told = lines[lines.index(next(line for line in lines if line.startswith(f"#XORJ_{name.upper()}="))) - 1]
        assert description, name
        assert told.startswith(f"# {description} (default: ")
        assert told.endswith("secret)") == is_secret


def test_the_example_can_be_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uncommented = [line[1:] if line.startswith("#XORJ_") else line for line in settings.example().splitlines()]
    (tmp_path / ".env").write_text("\n".join(uncommented))
    for process in settings.PROCESSES.values():
        assert load(process) == process(_env_file=None, data_dir=load(process).data_dir)
