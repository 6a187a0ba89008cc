"""The configuration file of the local Kafka node."""

from streams.broker_config import BrokerConfig, cluster_id


def test_a_property_that_is_given_comes_after_the_shipped_one_with_the_ports_filled_in() -> None:
    config = BrokerConfig(properties={"listeners": "PLAINTEXT://localhost:$port"})
    text = config.text(port=1234, controller_port=1235, data="data")
    listeners = [line for line in text.splitlines() if line.startswith("listeners=")]
    assert listeners[0].endswith("CONTROLLER://127.0.0.1:1235")
    assert listeners[1:] == ["listeners=PLAINTEXT://localhost:1234"]


def test_a_cluster_id_never_looks_like_an_option() -> None:
    ids = {cluster_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(text) for text in ids} == {22}
    assert not any(text.startswith("-") for text in ids)
