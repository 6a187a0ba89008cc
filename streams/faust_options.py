"""Our settings as Faust's options."""

from collections.abc import Mapping
from typing import Any

import faust

from streams.cluster import Cluster
from streams.limits import LIMITS
from streams.settings import RoleName, Settings

# Faust's own bound on a request; it takes no session that is longer.
_REQUEST_WITHIN_S = 90.0
# The broker answers a request to join when the rebalance is over.
_JOINED_WITHIN_S = 5.0
# Web and tables of Faust's own stay off: they show contents. The prefix keeps variables such as
# BROKER_URL, meant for others, from overriding all this.
_FIXED: Mapping[str, Any] = {
    "env_prefix": "KDSL_FAUST_",
    "value_serializer": "raw",
    "key_serializer": "raw",
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "web_enabled": False,
    "web_tables_enabled": False,
    "broker_max_poll_records": 2000,
    # A topic that was deleted and made again is read again so soon; Faust's own is five minutes.
    "consumer_metadata_max_age_ms": 30_000,
    # Records not yet begun are left to the next worker, not finished during a rebalance.
    "stream_wait_empty": False,
    "consumer_max_fetch_size": LIMITS.dead_letter_bytes + LIMITS.record_overhead_bytes,
    "consumer_auto_offset_reset": "earliest",
}


def faust_options(settings: Settings, role: RoleName) -> dict[str, Any]:
    """The keyword arguments of a worker's `faust.App`.

    Raises:
        InvalidSettings: a certificate or the password's file cannot be read.
    """
    cluster = settings.cluster
    options: dict[str, Any] = {
        **_FIXED,
        "broker": [f"framed://{address.strip()}" for address in cluster.bootstrap.split(",")],
        "broker_credentials": _credentials(cluster),
        "broker_request_timeout": max(
            _REQUEST_WITHIN_S,
            settings.session_timeout_s,
            settings.rebalance_timeout_s + _JOINED_WITHIN_S,
        ),
        "broker_session_timeout": settings.session_timeout_s,
        "broker_heartbeat_interval": settings.heartbeat_s,
        "broker_rebalance_timeout": settings.rebalance_timeout_s,
        "broker_commit_interval": settings.commit_every_s,
    }
    if settings.instance:
        # Each role is a group of its own; its name is for the reader of Kafka's tools.
        options["consumer_group_instance_id"] = f"{role}-{settings.instance}"
    return options


def _credentials(cluster: Cluster) -> "faust.SASLCredentials | faust.SSLCredentials | None":
    tls = cluster.tls() if cluster.encrypted else None
    if cluster.authenticated:
        return faust.SASLCredentials(
            username=cluster.username,
            password=cluster.password,
            ssl_context=tls,
            mechanism=cluster.mechanism,
        )
    return None if tls is None else faust.SSLCredentials(context=tls)
