"""Wiring a worker; nothing connects."""

from pathlib import Path

import pytest

from streams import app as app_module
from streams.app import create_app
from streams.errors import InvalidSettings, StartupError
from streams.frames import FaustChanged
from streams.settings import Settings


def test_every_bootstrap_address_reaches_the_transport() -> None:
    settings = Settings(bootstrap="one:9092, two:9093", allow_unsigned=True)
    app = create_app(settings, "tagger")
    assert [str(url) for url in app.conf.broker] == ["framed://one:9092", "framed://two:9093"]


def test_the_consumer_group_carries_prefix_domain_and_role() -> None:
    app = create_app(Settings(prefix="shop-"), "alerter")
    assert app.conf.id == "shop-kdsl-storefront-alerter"


def test_whose_releases_to_obey_must_be_said() -> None:
    with pytest.raises(InvalidSettings, match="--allow-unsigned"):
        create_app(Settings(), "tagger")


def test_a_trust_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"absent\.pem"):
        create_app(Settings(trust=tmp_path / "absent.pem"), "tagger")


def test_a_faust_that_changed_is_a_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def changed() -> None:
        raise FaustChanged("Faust 9 changed Consumer.ack; install the version we know")

    monkeypatch.setattr(app_module, "check_faust", changed)
    with pytest.raises(StartupError, match=r"Faust 9 changed Consumer\.ack"):
        create_app(Settings(allow_unsigned=True), "tagger")
