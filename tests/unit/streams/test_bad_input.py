"""Bad input of every kind is a dead letter with reason, origin and the original bytes.

The worker goes on: each bad record stands between two good ones.
"""

import hashlib
import struct
import zlib
from collections.abc import AsyncIterator

import msgpack
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streams.codec import decode_dead_letter, decode_tag, encode_deferred, encode_event
from streams.events import DeadLetter, DialogueEvent, ImageRef, Question
from streams.failures import Failures
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.records import Record
from streams.resolver import Resolver
from streams.tagger import Tagger
from tests import factories as make
from tests.fakes import FakeModelSide, FakeScorer

DOMAIN = make.domain()
RELEASE = make.active_release(DOMAIN)
GOOD = encode_event(make.event())
PICTURE = make.png()
STORE = "https://images.example/shop"


def tagger(prefix: str = STORE) -> Tagger:
    made = Tagger(
        domain=DOMAIN,
        image_prefixes=(prefix,),
        early_answer=True,
        metrics=Metrics("tagger"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def resolver(prefix: str = STORE) -> Resolver:
    side = FakeModelSide(DOMAIN, scorer=FakeScorer(DOMAIN), prefixes=(prefix,))
    made = Resolver(
        domain=DOMAIN,
        model_side=side,
        metrics=Metrics("resolver"),
        failures=Failures(),
        now_ms=lambda: make.NOW_MS,
    )
    made.use(RELEASE)
    return made


def scene_of(image: ImageRef) -> DialogueEvent:
    return make.event(make.user("", image))


def deferred(event: DialogueEvent) -> bytes:
    """As a tagger that looks at nothing would hand it on."""
    question = Question(task="scene", image_id="i1")
    return encode_deferred(make.deferred(encode_event(event), question))


async def letter_of(role: Tagger | Resolver, bad: Record, good: Record) -> DeadLetter:
    """The dead letter of a bad record between two good ones, which get their tags."""
    before, (output,), after = await role.decide([good, bad, good])
    for (tag,) in (before, after):
        assert decode_tag(tag.value).label == "track"
    assert output.kind == "dead_letters"
    assert output.key == bad.key
    letter = decode_dead_letter(output.value)
    assert letter.role == role.name
    assert (letter.topic, letter.partition, letter.offset) == (bad.topic, 2, 41)
    assert (letter.timestamp_ms, letter.failed_at_ms) == (bad.timestamp_ms, make.NOW_MS)
    assert (letter.record, letter.key, letter.cut) == (bad.value, b"d1", False)
    assert letter.record_sha256 == hashlib.sha256(bad.value or b"").hexdigest()
    assert letter.record_length == len(bad.value or b"")
    assert letter.attempts == 1
    assert role.failures.summary == "0 of the last 2 valid records"
    return letter


async def tagger_reason(value: bytes | None) -> str:
    return (await letter_of(tagger(), make.record(value), make.record(GOOD))).reason


async def resolver_reason(value: bytes, prefix: str = STORE) -> str:
    bad = make.record(value, topic="dialogue.deferred")
    good = make.record(encode_deferred(make.deferred(GOOD)), topic="dialogue.deferred")
    role = resolver(prefix)
    await role.start()
    try:
        return (await letter_of(role, bad, good)).reason
    finally:
        await role.stop()


def with_fields(**fields: object) -> bytes:
    packed: bytes = msgpack.packb({**msgpack.unpackb(GOOD), **fields})
    return packed


# Bytes that are no event


async def test_garbage_bytes_are_undecodable() -> None:
    assert await tagger_reason(b"\xc1\x00 garbage") == "undecodable"
    assert await resolver_reason(b"\xc1\x00 garbage") == "undecodable"


async def test_an_empty_record_is_undecodable() -> None:
    assert await tagger_reason(b"") == "undecodable"


async def test_a_tombstone_is_undecodable_and_stays_a_tombstone() -> None:
    assert await tagger_reason(None) == "undecodable"


async def test_wrong_types_are_undecodable() -> None:
    assert await tagger_reason(with_fields(sent_at_ms="yesterday")) == "undecodable"
    assert await tagger_reason(with_fields(turns={"user": "hi"})) == "undecodable"


async def test_deep_messagepack_is_undecodable() -> None:
    assert await tagger_reason(b"\x91" * 500_000) == "undecodable"
    assert await resolver_reason(b"\x81\xa1x" * 300_000) == "undecodable"


async def test_huge_messagepack_is_too_large_and_kept_whole() -> None:
    assert await tagger_reason(bytes(LIMITS.event_bytes + 1)) == "too_large"


async def test_messagepack_that_claims_to_be_huge_is_undecodable() -> None:
    assert await tagger_reason(b"\xdd\xff\xff\xff\xff") == "undecodable"
    assert await tagger_reason(b"\xc6\xff\xff\xff\xff") == "undecodable"


async def test_an_unknown_version_is_told_apart_so_that_it_can_be_redriven() -> None:
    assert await tagger_reason(with_fields(v="2.0")) == "unknown_version"
    inner = encode_deferred(make.deferred(with_fields(v="2.0")))
    assert await resolver_reason(inner) == "unknown_version"


# Events that cannot be answered


async def test_an_empty_dialogue() -> None:
    assert await tagger_reason(encode_event(make.event(make.user(" ")))) == "empty_dialogue"


async def test_an_unknown_task() -> None:
    assert await tagger_reason(encode_event(make.event(tasks=("mood",)))) == "unknown_task"


async def test_a_foreign_domain() -> None:
    assert await tagger_reason(encode_event(make.event(domain="pharmacy"))) == "foreign_domain"
    foreign = encode_deferred(make.deferred(encode_event(make.event(domain="pharmacy"))))
    assert await resolver_reason(foreign) == "foreign_domain"


# Images that cannot be evidence


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 20,000 x 20,000 pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (make.image("i1", b""), "image_corrupt"),
        (make.image("i1", b"GIF89a"), "image_corrupt"),
        (make.image("i1", bomb()), "image_too_large"),
        (make.image("i1", PICTURE, sha256="0" * 64), "image_mislabelled"),
        (make.image("i1", PICTURE, sha256="not even hex"), "image_mislabelled"),
        (make.image("i1", PICTURE, media_type="image/jpeg"), "image_mislabelled"),
        (make.image("i1", uri="file:///etc/passwd"), "image_forbidden_uri"),
        (make.image("i1", uri="FILE:/etc/passwd"), "image_forbidden_uri"),
        (make.image("i1", uri="https://evil.example/1.png"), "image_forbidden_uri"),
        (make.image("i1", uri=f"{STORE}/../secret.png"), "image_forbidden_uri"),
        (make.image("i1", uri="http://169.254.169.254/latest"), "image_forbidden_uri"),
    ],
)
async def test_images_that_both_hops_refuse(image: ImageRef, reason: str) -> None:
    event = scene_of(image)
    assert await tagger_reason(encode_event(event)) == reason
    assert await resolver_reason(deferred(event)) == reason


async def test_an_image_with_damaged_pixels_is_found_by_whoever_decodes_it() -> None:
    damaged = bytearray(make.png(width=64, height=64, shade=90))
    damaged[-20] ^= 0xFF  # inside the pixels or their checksum
    assert await resolver_reason(deferred(scene_of(make.image("i1", bytes(damaged))))) == (
        "image_corrupt"
    )


async def test_inline_images_that_are_too_large_together() -> None:
    content = bytes(LIMITS.inline_images_bytes + 1)
    event = encode_event(scene_of(make.image("i1", content)))
    assert await tagger_reason(event) == "image_too_large"


@pytest.fixture
async def store() -> AsyncIterator[str]:
    """An image store: one image that is there, the rest is not, or is not what it should be."""

    async def answer(request: web.Request) -> web.Response:
        match request.path:
            case "/shop/large.png":
                return web.Response(body=bytes(LIMITS.image_bytes + 1))
            case "/shop/moved.png":
                return web.Response(status=302, headers={"Location": "/shop/other.png"})
            case "/shop/text.png":
                return web.Response(text="not an image")
            case _:
                return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("/shop"))
    await server.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.png", "image_missing"),
        ("large.png", "image_too_large"),
        ("moved.png", "image_forbidden_uri"),
        ("text.png", "image_corrupt"),
    ],
)
async def test_images_in_the_store(store: str, name: str, reason: str) -> None:
    event = scene_of(make.image("i1", uri=f"{store}/{name}"))
    assert await resolver_reason(deferred(event), store) == reason


async def test_a_store_that_is_down_is_tried_again_and_then_a_dead_letter() -> None:
    """Nobody listens on port 1."""
    event = scene_of(make.image("i1", uri="http://127.0.0.1:1/shop/1.png"))
    reason = await resolver_reason(deferred(event), "http://127.0.0.1:1/shop")
    assert reason == "image_unavailable"
