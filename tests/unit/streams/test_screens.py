"""Screens: images fetched, checked, read and measured."""

from streams.images import ImageStore
from streams.screens import Screens
from tests import factories as make
from tests.fakes import FakeReader


async def test_an_image_is_measured_where_it_is_read() -> None:
    white, black = make.png(shade=255), make.png(shade=0)
    screens = Screens(store=ImageStore(), read_text=FakeReader({white: ["Total"]}).read)
    read = await screens.read_all((make.image("w", white), make.image("b", black)))
    assert {name: each.white_share for name, each in read.items()} == {"w": 1.0, "b": 0.0}
    assert [line.text for line in read["w"].reading.lines] == ["Total"]


async def test_an_image_without_bytes_or_address_stays_unread() -> None:
    reader = FakeReader()
    screens = Screens(store=ImageStore(), read_text=reader.read)
    assert await screens.read_all((make.image("a"),)) == {}
    assert reader.read_images == []
