"""Two questions to a broker of which aiokafka knows only older versions.

Those tell what may be seen. The ones here, since Kafka 2.3, also tell what may be done; a broker
that does not know them is asked as aiokafka does.
"""

from typing import Any

from aiokafka.protocol.admin import (
    DescribeGroupsRequest_v2,
    DescribeGroupsRequest_v3,
    DescribeGroupsResponse_v3,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String


class _TopicsResponse_v8(Response):  # type: ignore[misc] # noqa: N801 - as aiokafka names them
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("topic_authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _TopicsRequest_v8(RequestStruct):  # type: ignore[misc] # noqa: N801 - as aiokafka names them
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsResponse_v8
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


# aiokafka's own reads the answer to version 3 as one to version 2.
class _GroupsRequest_v3(RequestStruct):  # type: ignore[misc] # noqa: N801 - as aiokafka names them
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


# The client reads the versions it may choose from out of the type's argument.
class TopicsRequest(Request[MetadataRequest_v5 | _TopicsRequest_v8]):  # type: ignore[misc]
    """Topics by name, with their partitions and what we may do with each."""

    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, version: type[Any]) -> RequestStruct:
        if version is _TopicsRequest_v8:
            return version(self._names, False, False, True)
        return version(self._names, False)


class GroupRequest(Request[DescribeGroupsRequest_v2 | _GroupsRequest_v3]):  # type: ignore[misc]
    """A consumer group, with what we may do with it."""

    API_KEY = 15

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, version: type[Any]) -> RequestStruct:
        if version is _GroupsRequest_v3:
            return version([self._name], True)
        return version([self._name])
