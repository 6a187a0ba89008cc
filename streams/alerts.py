"""Tag → Alert, or why not: policy, cooldown, age; a pure function of event time and clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.domain import AlertPolicy
from streams.events import Alert, Tag, digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAlert:
    """Why a policy that names the tag's label raised no alert; the reason is a metric's label."""

    policy: str
    reason: str


def consider(
    tag: Tag, policies: Sequence[AlertPolicy], *, now_ms: int
) -> tuple[Alert | NoAlert, ...]:
    """What the policies that name the tag's label say to it; others say nothing.

    The cooldown divides event time into windows of `cooldown_s`, and an alert's id is the digest
    of (domain, dialogue, policy, window). So a worker needs no memory to give a redelivered tag,
    or a second tag of the same window, the same alert id.
    """
    return tuple(
        _judge(tag, policy, now_ms=now_ms)
        for policy in policies
        if tag.task == policy.task and tag.label in policy.labels
    )


def _judge(tag: Tag, policy: AlertPolicy, *, now_ms: int) -> Alert | NoAlert:
    if tag.confidence < policy.min_confidence:
        return NoAlert(policy=policy.name, reason="low_confidence")
    if now_ms - tag.sent_at_ms > policy.max_age_s * 1000:
        return NoAlert(policy=policy.name, reason="late")
    cooldown_ms = round(policy.cooldown_s * 1000)
    window_start_ms = tag.sent_at_ms - tag.sent_at_ms % cooldown_ms
    return Alert(
        alert_id=digest_of(tag.domain, tag.dialogue_id, policy.name, str(window_start_ms)),
        domain=tag.domain,
        dialogue_id=tag.dialogue_id,
        event_id=tag.event_id,
        tag_id=tag.tag_id,
        policy=policy.name,
        task=tag.task,
        image_id=tag.image_id,
        label=tag.label or "",
        confidence=tag.confidence,
        turn_index=tag.turn_index,
        sent_at_ms=tag.sent_at_ms,
        window_start_ms=window_start_ms,
        raised_at_ms=now_ms,
    )
