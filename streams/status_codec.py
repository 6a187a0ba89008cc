"""Records of `workers.status` ⇄ what workers say of themselves."""

from collections.abc import Mapping
from typing import Any

from streams.events import RefusedRelease, ReleaseInForce, WorkerStatus
from streams.fields import Fields
from streams.limits import LIMITS
from streams.wire import DIGEST_CHARS, pack, present, unpack


def status_fields(status: WorkerStatus) -> dict[str, Any]:
    """Every field of a status, in order, with `ready`; lists and maps only, as JSON wants them."""
    return {
        "ready": not status.obstacles,
        **{name: getattr(status, name) for name in WorkerStatus.__slots__},
        "in_force": _inner(status.in_force),
        "refusal": _inner(status.refusal),
        "obstacles": list(status.obstacles),
    }


def _inner(value: ReleaseInForce | RefusedRelease | None) -> Mapping[str, Any] | None:
    if value is None:
        return None
    return {name: getattr(value, name) for name in type(value).__slots__}


def encode_status(status: WorkerStatus) -> bytes:
    fields = status_fields(status)
    del fields["ready"]  # it follows from the obstacles
    for name in ("in_force", "refusal"):
        fields[name] = present(fields[name]) if fields[name] else None
    fields["obstacles"] = fields["obstacles"] or None
    fields["stopped"] = status.stopped or None
    return pack(fields)


def decode_status(raw: bytes) -> WorkerStatus:
    """Read a record of `workers.status`.

    Raises:
        InvalidRecord: it is none.
    """
    fields = unpack(raw, kind="status", limit=LIMITS.tag_bytes)
    return WorkerStatus(
        worker=fields.text("worker", LIMITS.worker_chars),
        role=fields.text("role", LIMITS.name_chars),
        domain=fields.text("domain", LIMITS.name_chars),
        version=fields.text("version", LIMITS.name_chars),
        at_ms=fields.integer("at_ms"),
        interval_ms=fields.integer("interval_ms"),
        labels_digest=fields.text_or_none("labels_digest", DIGEST_CHARS),
        in_force=fields.one_or_none("in_force", _read_in_force),
        refusal=fields.one_or_none("refusal", _read_refusal),
        bundle=fields.text_or_none("bundle", DIGEST_CHARS),
        uses_fitted_weights=fields.flag_or_none("uses_fitted_weights"),
        lag=fields.integer_or_none("lag"),
        obstacles=fields.texts("obstacles", LIMITS.obstacles, LIMITS.detail_chars),
        stopped=fields.flag("stopped", default=False),
    )


def _read_in_force(fields: Fields) -> ReleaseInForce:
    return ReleaseInForce(
        digest=fields.text("digest", DIGEST_CHARS),
        sequence=fields.integer("sequence"),
        since_ms=fields.integer("since_ms"),
        shadow=fields.text_or_none("shadow", DIGEST_CHARS),
    )


def _read_refusal(fields: Fields) -> RefusedRelease:
    return RefusedRelease(
        digest=fields.text_or_none("digest", DIGEST_CHARS),
        why=fields.text("why", LIMITS.detail_chars),
        at_ms=fields.integer("at_ms"),
    )
