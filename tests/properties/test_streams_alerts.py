"""Redelivery and restarts raise the alerts that were raised before, and no others."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streams.alerter import Alerter
from streams.codec import decode_alert, encode_tag
from streams.events import Tag
from streams.failures import Failures
from streams.metrics import Metrics
from tests import factories as make

DOMAIN = make.domain()


def alert_ids(tags: Sequence[Tag], *, now_ms: int = make.NOW_MS) -> set[str]:
    """The alerts of one worker, from its start, for these tags."""
    role = Alerter(
        domain=DOMAIN, metrics=Metrics("alerter"), failures=Failures(), now_ms=lambda: now_ms
    )
    records = [make.record(encode_tag(tag), offset=offset) for offset, tag in enumerate(tags)]
    decided = asyncio.run(role.decide(records))
    ids = [decode_alert(output.value).alert_id for outputs in decided for output in outputs]
    assert len(ids) == len(set(ids))
    return set(ids)


@st.composite
def streams_of_tags(draw: st.DrawFn) -> list[Tag]:
    """Tags of two dialogues in order, minutes apart, some below the policy's confidence."""
    tags: list[Tag] = []
    for position in range(draw(st.integers(1, 8))):
        minutes = draw(st.integers(0, 15))
        earlier = tags[-1].sent_at_ms if tags else make.NOW_MS
        tags.append(
            make.tag(
                event_id=f"e{position}",
                dialogue_id=draw(st.sampled_from(("d1", "d2"))),
                turn_index=position,
                sent_at_ms=earlier + 60_000 * minutes,
                confidence=draw(st.sampled_from((0.4, 0.9))),
                label=draw(st.sampled_from(("refund", "track"))),
            )
        )
    return tags


@given(tags=streams_of_tags(), data=st.data())
def test_a_restart_at_an_earlier_offset_raises_no_other_alerts(
    tags: list[Tag], data: st.DataObject
) -> None:
    died_at = data.draw(st.integers(0, len(tags)))
    committed = data.draw(st.integers(0, died_at))
    before, after = alert_ids(tags[:died_at]), alert_ids(tags[committed:])
    assert before | after == alert_ids(tags)


@given(tags=streams_of_tags())
def test_a_tag_delivered_twice_raises_what_it_raises_once(tags: list[Tag]) -> None:
    twice = [tag for tag in tags for _ in range(2)]
    assert alert_ids(twice) == alert_ids(tags)
