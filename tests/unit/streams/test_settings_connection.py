"""Settings of the connection to Kafka, and what contradicts itself among them."""

from pathlib import Path
from typing import Any

import pytest

from streams.cluster import Cluster
from streams.errors import InvalidSettings
from streams.faust_options import faust_options
from streams.settings import Settings, load_settings

PASSWORD = "secret"
SCRAM = {"KDSL_SECURITY": "sasl_ssl", "KDSL_SASL_USERNAME": "worker"}


def refusal(**given: Any) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(given, environment={})
    return str(caught.value)


def test_without_anything_the_cluster_is_plain_and_here() -> None:
    assert Settings().cluster == Cluster(bootstrap="127.0.0.1:9092")


def test_the_cluster_is_as_the_environment_says() -> None:
    settings = load_settings(
        {"bootstrap": "kafka:9093"},
        environment={
            **SCRAM,
            "KDSL_TLS_CA": "/etc/ca.pem",
            "KDSL_TLS_CERTIFICATE": "/etc/us.pem",
            "KDSL_TLS_KEY": "/etc/us.key",
            "KDSL_SASL_MECHANISM": "SCRAM-SHA-256",
            "KDSL_SASL_PASSWORD": "secret",
        },
    )
    assert settings.cluster == Cluster(
        bootstrap="kafka:9093",
        security="sasl_ssl",
        ca=Path("/etc/ca.pem"),
        certificate=Path("/etc/us.pem"),
        key=Path("/etc/us.key"),
        mechanism="SCRAM-SHA-256",
        username="worker",
        password=PASSWORD,
    )


def test_the_first_line_of_the_file_is_the_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" with spaces \nand a comment\n")
    settings = load_settings({}, environment={**SCRAM, "KDSL_SASL_PASSWORD_FILE": str(file)})
    assert settings.cluster.password == " with spaces "


def test_a_password_file_that_is_absent_or_empty_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = load_settings({}, environment={**SCRAM, "KDSL_SASL_PASSWORD_FILE": str(file)})
    with pytest.raises(InvalidSettings, match="cannot be read"):
        _ = settings.cluster
    file.write_text("\n")
    with pytest.raises(InvalidSettings, match="empty line"):
        _ = settings.cluster


def test_the_password_is_shown_neither_by_settings_nor_by_their_refusal(tmp_path: Path) -> None:
    settings = load_settings({}, environment={**SCRAM, "KDSL_SASL_PASSWORD": "secret"})
    assert "secret" not in repr(settings)
    file = tmp_path / "kdsl.toml"
    file.write_text("sasl_password = 123456")
    with pytest.raises(InvalidSettings) as caught:
        load_settings({}, environment={"KDSL_CONFIG": str(file)})
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ({"security": "tls"}, "KDSL_SECURITY"),
        ({"sasl_mechanism": "GSSAPI"}, "KDSL_SASL_MECHANISM"),
        ({"security": "sasl_ssl"}, "KDSL_SASL_USERNAME"),
        ({"security": "sasl_ssl", "sasl_username": "worker"}, "KDSL_SASL_PASSWORD"),
        ({"sasl_username": "worker"}, "KDSL_SECURITY"),
        ({"sasl_password": "secret"}, "KDSL_SECURITY"),
        ({"sasl_password": "a", "sasl_password_file": Path("b")}, "give one"),
        ({"tls_ca": Path("ca.pem")}, "KDSL_SECURITY"),
        ({"tls_certificate": Path("us.pem")}, "KDSL_SECURITY"),
        ({"security": "ssl", "tls_key": Path("us.key")}, "KDSL_TLS_CERTIFICATE"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_cure(given: dict[str, Any], cure: str) -> None:
    assert cure in refusal(**given)


def test_a_certificate_may_hold_its_key() -> None:
    assert Settings(security="ssl", tls_certificate=Path("us.pem")).cluster.key is None


@pytest.mark.parametrize("name", ["tagger-0", "a.b_c-D9", "x" * 240])
def test_a_stable_name_is_one_that_kafka_takes(name: str) -> None:
    assert Settings(instance=name).instance == name


@pytest.mark.parametrize("name", ["two words", "ä", "a/b", "a\n", "x" * 241])
def test_another_name_is_refused(name: str) -> None:
    assert "KDSL_INSTANCE" in refusal(instance=name)


def test_three_heartbeats_fit_into_a_session() -> None:
    assert Settings(session_timeout_s=9.0, heartbeat_s=3.0).heartbeat_s == 3.0
    assert "heartbeat_s" in refusal(session_timeout_s=9.0, heartbeat_s=3.1)
    assert "session_timeout_s" in refusal(session_timeout_s=5.9, heartbeat_s=1.0)


def test_faust_is_told_the_times_and_the_stable_name() -> None:
    settings = Settings(
        instance="pod-0",
        session_timeout_s=12.0,
        heartbeat_s=4.0,
        rebalance_timeout_s=15.0,
        commit_every_s=0.5,
    )
    options = faust_options(settings, "tagger")
    assert options["consumer_group_instance_id"] == "tagger-pod-0"
    assert options["broker_session_timeout"] == 12.0
    assert options["broker_heartbeat_interval"] == 4.0
    assert options["broker_rebalance_timeout"] == 15.0
    assert options["broker_commit_interval"] == 0.5
    assert "consumer_group_instance_id" not in faust_options(Settings(), "tagger")


@pytest.mark.parametrize(
    ("times", "request_s"),
    [
        ({}, 90.0),
        ({"session_timeout_s": 120.0}, 120.0),
        ({"rebalance_timeout_s": 200.0, "stall_after_s": 400.0}, 205.0),
    ],
)
def test_a_request_may_take_as_long_as_a_session_and_a_rebalance(
    times: dict[str, float], request_s: float
) -> None:
    """Faust refuses a session that outlasts a request; a join is answered after the rebalance."""
    assert faust_options(Settings(**times), "tagger")["broker_request_timeout"] == request_s  # type: ignore[arg-type]


def test_a_stall_outlasts_a_rebalance_and_its_repetition() -> None:
    assert Settings(rebalance_timeout_s=8.0, stall_after_s=16.0).stall_after_s == 16.0
    assert "KDSL_STALL_AFTER_S" in refusal(rebalance_timeout_s=8.0, stall_after_s=15.9)


def test_faust_connects_as_every_other_client_does() -> None:
    given: dict[str, Any] = {"sasl_username": "worker", "sasl_password": "secret"}
    secure = faust_options(Settings(security="sasl_ssl", **given), "tagger")["broker_credentials"]
    assert (secure.protocol.value, secure.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (secure.username, secure.password) == ("worker", "secret")
    open_ = faust_options(Settings(security="sasl_plaintext", **given), "tagger")
    assert open_["broker_credentials"].protocol.value == "SASL_PLAINTEXT"
    tls = faust_options(Settings(security="ssl"), "tagger")["broker_credentials"]
    assert tls.protocol.value == "SSL"
    assert faust_options(Settings(), "tagger")["broker_credentials"] is None
