"""Settings: defaults, then the file, then the environment, then the command line."""

from pathlib import Path
from typing import Any

import pytest

from streams.errors import InvalidSettings
from streams.settings import Settings, load_settings


def from_file(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "kdsl.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings({}, environment={"KDSL_CONFIG": str(file), **environment})


def refusal(environment: dict[str, str], **given: Any) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(given, environment=environment)
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    assert load_settings({}, environment={}) == Settings()


def test_the_later_source_wins(tmp_path: Path) -> None:
    text = 'bootstrap = "file:1"\nprefix = "file-"\nbatch = 7'
    settings = from_file(tmp_path, text, KDSL_PREFIX="env-")
    assert (settings.bootstrap, settings.prefix, settings.batch) == ("file:1", "env-", 7)
    given = load_settings({"prefix": "cli-", "batch": None}, environment={"KDSL_PREFIX": "env-"})
    assert (given.prefix, given.batch) == ("cli-", Settings().batch)


def test_every_setting_can_come_from_the_environment() -> None:
    settings = load_settings(
        {},
        environment={
            "KDSL_TRUST": "/keys",
            "KDSL_ALLOW_UNSIGNED": "Yes",
            "KDSL_EARLY_ANSWER": "0",
            "KDSL_THREADS": "3",
            "KDSL_STOP_WITHIN_S": "7.5",
            "KDSL_PROVIDER": "cuda",
            "KDSL_IMAGE_PREFIXES": "https://a.example/x, https://b.example",
        },
    )
    assert settings.trust == Path("/keys")
    assert settings.allow_unsigned is True
    assert settings.early_answer is False
    assert (settings.threads, settings.stop_within_s, settings.provider) == (3, 7.5, "cuda")
    assert settings.image_prefixes == ("https://a.example/x", "https://b.example")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("KDSL_PARTITION", "KDSL_PARTITION is no setting: do you mean KDSL_PARTITIONS?"),
        ("KDSL_WEBPORT", "KDSL_WEBPORT is no setting: do you mean KDSL_WEB_PORT?"),
        ("KDSL_XYZ", "KDSL_XYZ is no setting: leave it out, or see docs/running-workers.md"),
    ],
)
def test_a_variable_of_ours_that_is_no_setting_is_refused(name: str, said: str) -> None:
    assert refusal({name: "12"}) == said
    assert load_settings({}, environment={name: ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KDSL_FAUST_BROKER_MAX_POLL_RECORDS", "500"),
        ("KDSL_BENCH_FAUST_X", "1"),
        ("KDSL_TEST_STREAM_S", "60"),
        ("KDSL_TAOBAO", "/data"),
        # What Kubernetes puts beside a service called kdsl-tagger.
        ("KDSL_TAGGER_SERVICE_HOST", "10.0.0.7"),
        ("KDSL_TAGGER_SERVICE_PORT_HTTP", "8081"),
        ("KDSL_TAGGER_PORT", "tcp://10.0.0.7:8081"),
        ("KDSL_TAGGER_PORT_8081_TCP_ADDR", "10.0.0.7"),
        ("OTHER_PARTITION", "12"),
    ],
)
def test_a_variable_that_others_read_is_left_to_them(name: str, value: str) -> None:
    assert load_settings({}, environment={name: value}) == Settings()


def test_a_variable_set_to_nothing_is_not_set() -> None:
    """`KDSL_TRUST=` must not trust the keys of the working folder."""
    environment = {"KDSL_TRUST": "", "KDSL_BUNDLE": "", "KDSL_BATCH": "", "KDSL_CONFIG": ""}
    assert load_settings({}, environment=environment) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KDSL_THREADS", "two"),
        ("KDSL_BATCH", "1.5"),
        ("KDSL_STOP_WITHIN_S", "soon"),
        ("KDSL_ALLOW_UNSIGNED", "perhaps"),
        ("KDSL_PROVIDER", "tpu"),
        ("KDSL_READINGS", "both"),
    ],
)
def test_a_variable_of_the_wrong_kind_is_refused_by_name(name: str, value: str) -> None:
    assert name in refusal({name: value})


@pytest.mark.parametrize(
    "line",
    [
        "bootstrap = 9092",
        "domain = ['a']",
        "trust = 3",
        "image_prefixes = 3",
        "threads = true",
        "threads = 2.5",
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_file_and_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        from_file(tmp_path, line)
    assert str(tmp_path / "kdsl.toml") in str(caught.value)
    assert line.split()[0] in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", 0), ("web_port", 65_536), ("batch", 10_001), ("stop_within_s", float("nan"))],
)
def test_a_value_out_of_range_is_refused(name: str, value: float) -> None:
    assert name in refusal({}, **{name: value})


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"unknown setting 'treads': do you mean threads\?"):
        from_file(tmp_path, "treads = 2")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "KDSL_CONFIG" in refusal({"KDSL_CONFIG": str(tmp_path / "absent.toml")})
    with pytest.raises(InvalidSettings, match="cannot be read"):
        from_file(tmp_path, "= 3")
