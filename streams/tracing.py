"""Carries a record's trace on to what is sent because of it."""

from collections.abc import Sequence
from typing import Protocol

from streams.errors import InvalidSettings
from streams.records import Output, Record
from streams.settings import RoleName


class Tracing(Protocol):
    """What a decision leaves behind in a trace."""

    def carry(
        self, record: Record, outputs: Sequence[Output], *, started_ns: int, ended_ns: int
    ) -> tuple[Output, ...]:
        """The outputs of a record, with the record's trace in their headers if it has one.

        Args:
            record: as it was read.
            outputs: what it led to.
            started_ns: when it was taken up, nanoseconds since the epoch.
            ended_ns: when its outputs stood.
        """
        ...


class Untraced:
    """Leaves everything as it is: OpenTelemetry is not installed."""

    def carry(
        self,
        record: Record,
        outputs: Sequence[Output],
        *,
        started_ns: int,
        ended_ns: int,
    ) -> tuple[Output, ...]:
        return tuple(outputs)


def tracing_for(role: RoleName) -> Tracing:
    """What the installed packages allow: spans with the `otel` extra, else nothing.

    Raises:
        InvalidSettings: OTEL_PROPAGATORS names what is not installed.
    """
    try:
        from streams.spans import Spans
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        return Untraced()
    except ValueError as error:
        raise InvalidSettings(
            f"OTEL_PROPAGATORS cannot be used: {error} Leave it out for W3C trace context"
        ) from error
    return Spans(role)
