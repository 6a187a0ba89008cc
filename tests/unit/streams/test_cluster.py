"""How a cluster is reached, as clients are told it."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from streams.cluster import Cluster
from streams.connecting import refusal
from streams.errors import AuthenticationFailed, BrokerUnreachable, InvalidSettings
from tests.certificates import make_certificates

PASSWORD = "worker-secret"
SCRAM = Cluster(bootstrap="kafka:9093", security="sasl_ssl", username="worker", password=PASSWORD)


def test_a_plain_cluster_is_its_addresses_alone() -> None:
    options = Cluster(bootstrap="one:9092,two:9092").client_options()
    assert options == {"bootstrap_servers": "one:9092,two:9092"}


def test_name_and_password_are_given_over_tls_that_checks_the_broker() -> None:
    options = dict(SCRAM.client_options())
    tls = options.pop("ssl_context")
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert options == {
        "bootstrap_servers": "kafka:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": PASSWORD,
    }


def test_without_encryption_there_is_no_tls() -> None:
    options = replace(SCRAM, security="sasl_plaintext").client_options()
    assert options["security_protocol"] == "SASL_PLAINTEXT"
    assert "ssl_context" not in options


def test_only_the_authority_that_is_named_is_trusted(tmp_path: Path) -> None:
    context = replace(SCRAM, ca=make_certificates(tmp_path).ca).tls()
    assert len(context.get_ca_certs()) == 1


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.pem"
    with pytest.raises(InvalidSettings, match=r"absent\.pem.*must be PEM"):
        replace(SCRAM, ca=absent).tls()
    absent.write_text("no certificate")
    with pytest.raises(InvalidSettings, match=r"absent\.pem.*must be PEM"):
        replace(SCRAM, ca=absent).tls()


def test_the_password_is_not_shown() -> None:
    assert PASSWORD not in repr(SCRAM)


def test_access_lists_name_us_by_user_or_certificate_or_not_at_all(tmp_path: Path) -> None:
    assert SCRAM.user == "worker"
    assert Cluster().user == "ANONYMOUS"
    certificate = make_certificates(tmp_path).server
    assert Cluster(security="ssl", certificate=certificate).user.startswith("CN=")


def test_what_tls_says_is_found_behind_what_the_client_makes_of_it() -> None:
    wrapped = KafkaConnectionError("closed")
    wrapped.__cause__ = ssl.SSLError(1, "[SSL] alert", "certificate required")
    assert isinstance(refusal(wrapped, SCRAM, "kafka:9093"), AuthenticationFailed)


def test_a_refused_password_names_the_user_and_never_the_password() -> None:
    said = str(refusal(SaslAuthenticationFailed(), SCRAM, "kafka:9093"))
    assert "user worker" in said
    assert PASSWORD not in said


def test_who_hangs_up_is_told_from_who_is_not_there() -> None:
    assert isinstance(refusal(ConnectionResetError(), SCRAM, "kafka:9093"), BrokerUnreachable)
    assert refusal(ConnectionRefusedError(), SCRAM, "kafka:9093") is None
    assert refusal(TimeoutError(), SCRAM, "kafka:9093") is None
