"""Images from outside are bounded, checked and fetched from allowed places only."""

import asyncio
import contextlib
import hashlib
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from typing import NoReturn

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from streams.errors import ImageRejected, ImageUnavailable, InvalidSettings
from streams.events import ImageRef
from streams.images import CheckedImage, ImageStore, check_image, shrink
from streams.limits import LIMITS

TINY = replace(LIMITS, image_bytes=2000, image_pixels=400, image_side=40, image_fetch_s=0.3)


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10), mode: str = "RGB") -> bytes:
    image = Image.new(mode, size)
    ImageDraw.Draw(image).line((0, 0, *size), fill="white")
    content = BytesIO()
    image.save(content, kind)
    return content.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    content = BytesIO()
    Image.effect_noise(size, 90).save(content, "PNG")
    return content.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + png_chunk(b"IEND", b"")
    )


def reason_of(content: bytes, **said: str) -> str:
    with pytest.raises(ImageRejected) as caught:
        check_image(content, **said)  # type: ignore[arg-type]
    assert caught.value.reason in ImageRejected.REASONS
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_good_image_comes_back_as_it_came_with_what_it_is(kind: str) -> None:
    content = picture(kind, (20, 10))
    digest = hashlib.sha256(content).hexdigest()
    image = check_image(content, sha256=digest, media_type=f"image/{kind.lower()}")
    assert image == CheckedImage(
        sha256=digest, width=20, height=10, media_type=f"image/{kind.lower()}", content=content
    )


def test_an_image_never_shows_its_bytes_in_messages() -> None:
    assert "content" not in repr(check_image(picture()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_common_kind_of_pixel_is_taken(mode: str) -> None:
    content = BytesIO()
    Image.new(mode, (20, 10)).save(content, "PNG")
    assert check_image(content.getvalue()).width == 20


def test_lossless_and_extended_webp_sizes_are_read() -> None:
    for options in ({"lossless": True}, {"lossless": False, "exif": b"Exif\0\0"}):
        content = BytesIO()
        Image.new("RGBA", (33, 7), (1, 2, 3, 100)).save(content, "WEBP", **options)
        image = check_image(content.getvalue())
        assert (image.width, image.height) == (33, 7)


def test_of_an_animated_image_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    for kind in ("WEBP", "PNG"):
        content = BytesIO()
        frames[0].save(content, kind, save_all=True, append_images=frames[1:])
        assert check_image(content.getvalue()).height == 10


@pytest.mark.parametrize("content", [b"", b"no image", picture("GIF"), picture("BMP")])
def test_other_formats_are_refused(content: bytes) -> None:
    assert reason_of(content) == "image_corrupt"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_image_is_refused_wherever_it_is_cut(kind: str) -> None:
    content = picture(kind, (64, 64))
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert reason_of(content[: int(len(content) * share)]) == "image_corrupt"


def test_a_wrong_digest_is_refused() -> None:
    assert reason_of(picture(), sha256="0" * 64) == "image_mislabelled"


def test_a_wrong_media_type_is_refused() -> None:
    assert reason_of(picture("PNG"), media_type="image/jpeg") == "image_mislabelled"


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    assert reason_of(bytes(LIMITS.image_bytes + 1)) == "image_too_large"


@pytest.mark.parametrize("size", [(50_000, 50_000), (8193, 1), (1, 8193), (5000, 5000)])
def test_a_decompression_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    """50,000 x 50,000 would take 7.5 GB; 5000 x 5000 is over the 20 million pixels."""
    assert reason_of(png_claiming(*size)) == "image_too_large"


def test_a_webp_that_claims_the_largest_canvas_is_refused_by_its_header() -> None:
    """Pillow allocates the canvas when it opens an animated WEBP, before anyone can look."""
    canvas = b"\x02\0\0\0" + b"\xfe\x3f\0" * 2
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas
    assert reason_of(b"RIFF" + struct.pack("<I", len(body)) + body) == "image_too_large"


def test_pixels_that_are_not_there_are_noticed() -> None:
    assert reason_of(png_claiming(1000, 1000)) == "image_corrupt"


def test_a_jpeg_with_two_sizes_is_refused() -> None:
    """Its first frame header passes the bounds, its second would not."""
    content = picture("JPEG", (20, 10))
    at = content.index(b"\xff\xc0")
    length = 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    larger = bytearray(content[at : at + length])
    larger[5:9] = struct.pack(">HH", 60_000, 60_000)
    doubled = content[: at + length] + bytes(larger) + content[at + length :]
    assert reason_of(doubled) == "image_corrupt"


def test_a_jpeg_with_thousands_of_scans_is_refused() -> None:
    content = picture("JPEG")
    assert reason_of(content + b"\xff\xda" * 50) == "image_corrupt"


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 "]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_are_rejected_and_nothing_else_happens(start: bytes, rest: bytes) -> None:
    with pytest.raises(ImageRejected):
        check_image(start + rest)


SAMPLES = tuple(picture(kind, (16, 16)) for kind in ("PNG", "JPEG", "WEBP"))


@settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
)
def test_a_mutated_image_is_taken_or_rejected(
    content: bytes, changes: list[tuple[int, int]]
) -> None:
    mutated = bytearray(content)
    for at, value in changes:
        mutated[at % len(mutated)] = value
    with contextlib.suppress(ImageRejected):
        assert check_image(bytes(mutated)).content == mutated


def test_a_small_image_is_not_recompressed() -> None:
    content = picture()
    assert shrink(content, len(content)) is content


def test_a_large_image_loses_quality_before_pixels() -> None:
    content = noise((200, 200))
    smaller = shrink(content, 25_000)
    assert len(smaller) <= 25_000 < len(content)
    image = check_image(smaller)
    assert (image.media_type, image.width, image.height) == ("image/webp", 200, 200)


def test_a_larger_one_loses_pixels_too() -> None:
    smaller = check_image(shrink(noise((400, 400)), 10_000))
    assert 100 <= smaller.width < 400
    assert smaller.width == smaller.height


def test_one_that_cannot_be_made_small_enough_is_refused() -> None:
    with pytest.raises(ImageRejected, match="image store") as caught:
        shrink(noise((400, 400)), 100)
    assert caught.value.reason == "image_too_large"


def test_transparent_becomes_white_and_turned_becomes_upright() -> None:
    content = BytesIO()
    pixels = Image.effect_noise((60, 30), 90).convert("RGBA")
    pixels.putalpha(0)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    pixels.save(content, "PNG", exif=exif)
    smaller = Image.open(BytesIO(shrink(content.getvalue(), 2000)))
    assert smaller.size == (30, 60)
    assert smaller.convert("L").getextrema() == (255, 255)


ALLOWED = ["https://images.example/shop/a", "http://127.0.0.1:9000"]


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://images.example/shop/a/1.png",
        "data:image/png;base64,AAAA",
        "//images.example/shop/a/1.png",
        "images.example/shop/a/1.png",
        "https:///shop/a/1.png",
        "http://images.example/shop/a/1.png",
        "https://images.example:444/shop/a/1.png",
        "https://images.example:99999/shop/a/1.png",
        "https://images.example@evil.example/shop/a/1.png",
        "https://user:word@images.example/shop/a/1.png",
        "https://images.example.evil.example/shop/a/1.png",
        "https://evil.example/https://images.example/shop/a/1.png",
        "https://evil.example#@images.example/shop/a/1.png",
        "https://evil.example\\@images.example/shop/a/1.png",
        "https://images.example\\shop/a/1.png",
        "https://images%2eexample/shop/a/1.png",
        "https://images.example./shop/a/1.png",
        "https://[::1]/shop/a/1.png",
        "https://[images.example/shop/a/1.png",
        "https://images.example/shop/ab/1.png",
        "https://images.example/shop",
        "https://images.example/SHOP/a/1.png",
        "https://images.example//shop/a/1.png",
        "https://images.example/shop/a/../b/1.png",
        "https://images.example/shop/a/%2e%2e/b/1.png",
        "https://images.example/shop/a/.%2E/b/1.png",
        "https://images.example/shop/a/%252e%252e/b/1.png",
        "https://images.example/shop/a/..%2fb/1.png",
        "https://images.example/shop/a/..%5cb/1.png",
        "https://images.example/shop/a/..;x/b/1.png",
        "https://images.example/shop/a/./1.png",
        "https://images.example/shop/a/1.png%00.txt",
        "https://images.example/shop/a/1.png#there",
        "https://images.example/shop/a/1 .png",
        "https://images.example/shop/a/1.png\r\nX: y",
        "\thttps://images.example/shop/a/1.png",
        "https://\u0456mages.example/shop/a/1.png",
        "http://127.1:9000/1.png",
        "http://2130706433:9000/1.png",
        "http://0x7f.1:9000/1.png",
        "",
    ],
)
async def test_no_trick_leads_out_of_the_allowed_places(uri: str) -> None:
    async with ImageStore(ALLOWED, open_session=never) as store:
        with pytest.raises(ImageRejected) as caught:
            await store.fetch(ImageRef(image_id="1", uri=uri))
    assert caught.value.reason == "image_forbidden_uri"


@pytest.mark.parametrize(
    "uri",
    [
        "https://images.example/shop/a/1.png",
        "HTTPS://IMAGES.example:443/shop/a/1.png?signature=a%2Fb",
        "https://images.example/%73hop/a/%E6%88%91.png",
        "http://127.0.0.1:9000/1.png",
    ],
)
async def test_what_lies_below_an_allowed_prefix_is_asked_for(uri: str) -> None:
    async with ImageStore(ALLOWED, open_session=never) as store:
        with pytest.raises(AssertionError, match="asked"):
            await store.fetch(ImageRef(image_id="1", uri=uri))


@pytest.mark.parametrize(
    "prefix",
    ["", "images.example", "file:///tmp", "https://", "https://u@h/x", "https://h/a?b", "s3://b/x"],
)
def test_a_malformed_prefix_is_refused_at_once(prefix: str) -> None:
    with pytest.raises(InvalidSettings, match="write it like"):
        ImageStore([prefix])


def never() -> NoReturn:
    raise AssertionError("the store was asked")


async def answer(request: web.Request) -> web.StreamResponse:
    """One small object store that can misbehave in every way we know."""
    match request.match_info["name"]:
        case "good":
            return web.Response(body=picture())
        case "announced":
            return web.Response(body=bytes(TINY.image_bytes + 1))
        case "compressed":
            return web.Response(
                body=zlib.compress(picture()), headers={"Content-Encoding": "deflate"}
            )
        case "redirect":
            raise web.HTTPFound("/shop/good")
        case "endless" | "slow" as name:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(1000):
                await response.write(bytes(100))
                await asyncio.sleep(0.1 if name == "slow" else 0)
            return response
        case "broken":
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(bytes(100))
            assert request.transport is not None
            request.transport.abort()
            return response
        case status:
            return web.Response(status=int(status))


@pytest.fixture
async def store_url() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/shop/{name}", answer)
    async with TestServer(application) as server:
        yield f"http://127.0.0.1:{server.port}/shop"


async def fetch(store_url: str, name: str) -> CheckedImage:
    async with ImageStore([store_url], limits=TINY) as store:
        return await store.fetch(ImageRef(image_id="1", uri=f"{store_url}/{name}"))


async def test_an_image_is_fetched_from_the_store(store_url: str) -> None:
    assert (await fetch(store_url, "good")).content == picture()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("404", "image_missing"),
        ("410", "image_missing"),
        ("403", "image_missing"),
        ("redirect", "image_forbidden_uri"),
        ("301", "image_forbidden_uri"),
        ("announced", "image_too_large"),
        ("endless", "image_too_large"),
        ("compressed", "image_corrupt"),
    ],
)
async def test_what_the_store_will_never_give_is_rejected(
    store_url: str, name: str, reason: str
) -> None:
    with pytest.raises(ImageRejected) as caught:
        await fetch(store_url, name)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["500", "503", "429", "408", "204", "slow", "broken"])
async def test_a_store_that_fails_is_tried_again(store_url: str, name: str) -> None:
    with pytest.raises(ImageUnavailable):
        await fetch(store_url, name)


async def test_a_store_that_is_away_is_tried_again(store_url: str, unused_tcp_port: int) -> None:
    with pytest.raises(ImageUnavailable, match="ClientConnectorError"):
        await fetch(f"http://127.0.0.1:{unused_tcp_port}", "good")


async def test_a_fetched_image_is_held_against_what_was_said_of_it(store_url: str) -> None:
    async with ImageStore([store_url]) as store:
        reference = ImageRef(image_id="1", uri=f"{store_url}/good", sha256="0" * 64)
        with pytest.raises(ImageRejected) as caught:
            await store.fetch(reference)
    assert caught.value.reason == "image_mislabelled"


async def test_inline_bytes_need_no_store() -> None:
    async with ImageStore(open_session=never) as store:
        image = await store.fetch(ImageRef(image_id="1", content=picture()))
        assert image.content == picture()
        with pytest.raises(ImageRejected) as caught:
            await store.fetch(ImageRef(image_id="1"))
    assert caught.value.reason == "image_missing"
