"""A page becomes pixels: layout and colours."""

from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from deploy.quickstart.draws import Draws
from deploy.quickstart.page import Block, Page

Colour = tuple[int, int, int]

WHITE: Final = (255, 255, 255)
TALLEST: Final = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of one shop skin."""

    paper: Colour
    ink: Colour
    faint: Colour
    accent: Colour
    panel: Colour


THEMES: Final = tuple(
    Theme(paper=paper, ink=ink, faint=faint, accent=accent, panel=panel)
    for paper, ink, faint, accent, panel in (
        ((255, 255, 255), (28, 28, 32), (104, 104, 112), (34, 110, 80), (232, 236, 232)),
        ((250, 246, 238), (52, 40, 30), (120, 104, 90), (176, 72, 40), (236, 226, 210)),
        ((24, 26, 32), (238, 238, 240), (170, 174, 184), (70, 116, 214), (48, 52, 62)),
        ((240, 244, 250), (20, 32, 60), (90, 104, 130), (40, 70, 160), (214, 224, 240)),
        ((255, 255, 255), (10, 10, 10), (96, 96, 96), (20, 20, 20), (224, 224, 224)),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one screenshot looks; lengths in pixels.

    spare: what is left blank below the content.
    """

    theme: Theme
    width: int
    spare: int
    text: int
    gap: int
    margin: int
    status_bar: bool
    centred_title: bool
    menu_bar: bool


def look(draws: Draws) -> Look:
    return Look(
        theme=draws.pick(THEMES),
        width=draws.between(32, 42) * 10,
        spare=draws.between(8, 90),
        text=draws.between(16, 19),
        gap=draws.between(10, 24),
        margin=draws.between(12, 26),
        status_bar=draws.chance(0.4),
        centred_title=draws.chance(0.4),
        menu_bar=draws.chance(0.3),
    )


def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, laid out the same whether or not complex text layout is installed."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType; install a released wheel")
    return loaded.font_variant(layout_engine=ImageFont.Layout.BASIC)


class Canvas:
    """A page under the brush, filled from the top."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._image = Image.new("RGB", (look.width, TALLEST), look.theme.paper)
        self._brush = ImageDraw.Draw(self._image)
        self._y = 8

    def status_bar(self, clock: str) -> None:
        faint, right = self.look.theme.faint, self.look.width - 18
        self._write(self.look.margin, clock, size=15, fill=faint)
        self._brush.rectangle((right - 26, self._y + 3, right, self._y + 13), outline=faint)
        self._y += 30

    def menu_bar(self) -> None:
        """The shop's own menu along the lower edge, the same on every page."""
        self._y += self.look.spare
        step = (self.look.width - 2 * self.look.margin) / 2
        for at, (text, anchor) in enumerate((("Home", "la"), ("Basket", "ma"), ("Account", "ra"))):
            x = self.look.margin + at * step
            self._write(x, text, size=15, fill=self.look.theme.faint, anchor=anchor)
        self._y += 24

    def finished(self) -> Image.Image:
        height = min(self._y + self.look.spare, TALLEST)
        return self._image.crop((0, 0, self.look.width, height))

    def add(self, block: Block) -> None:
        """Draw one block and move below it."""
        match block.kind:
            case "title":
                self._title(block.text)
            case "heading" | "text" | "link" | "row":
                self._line(block)
            case "button" | "field":
                self._box(block)
            case "theirs" | "ours":
                self._bubble(block)
            case "picture":
                self._picture()

    def _write(
        self, x: float, text: str, *, size: int, fill: Colour, drop: int = 0, anchor: str = "la"
    ) -> None:
        self._brush.text((x, self._y + drop), text, font=font(size), fill=fill, anchor=anchor)

    def _panel(self, left: float, right: float, *, fill: Colour) -> None:
        bottom = self._y + self.look.text + 22
        self._brush.rounded_rectangle((left, self._y, right, bottom), radius=8, fill=fill)

    def _title(self, text: str) -> None:
        size, ink = self.look.text + 5, self.look.theme.ink
        if self.look.centred_title:
            self._write(self.look.width / 2, text, size=size, fill=ink, anchor="ma")
        else:
            self._write(self.look.margin, text, size=size, fill=ink)
        rule = self._y + size + 11
        self._brush.line((0, rule, self.look.width, rule), fill=self.look.theme.panel, width=2)
        self._y += size + 21

    def _line(self, block: Block) -> None:
        theme, margin = self.look.theme, self.look.margin
        size = self.look.text + (4 if block.kind == "heading" else 0)
        faint = block.kind in ("row", "link")
        text = f"{block.text} >" if block.kind == "link" else block.text
        self._write(margin, text, size=size, fill=theme.faint if faint else theme.ink)
        if block.right:
            right = self.look.width - margin
            self._write(right, block.right, size=size, fill=theme.ink, anchor="ra")
        self._y += size + self.look.gap

    def _box(self, block: Block) -> None:
        theme, margin, size = self.look.theme, self.look.margin, self.look.text
        button = block.kind == "button"
        self._panel(margin, self.look.width - margin, fill=theme.accent if button else theme.panel)
        if button:
            middle = self.look.width / 2
            self._write(middle, block.text, size=size, fill=WHITE, drop=10, anchor="ma")
        else:
            self._write(margin + 10, block.text, size=size, fill=theme.ink, drop=10)
        self._y += size + 24 + self.look.gap

    def _bubble(self, block: Block) -> None:
        theme, size, margin = self.look.theme, self.look.text, self.look.margin
        ours = block.kind == "ours"
        length = font(size).getlength(block.text) + 20
        left = self.look.width - margin - length if ours else margin
        self._panel(left, left + length, fill=theme.accent if ours else theme.panel)
        fill = WHITE if ours else theme.ink
        self._write(left + 10, block.text, size=size, fill=fill, drop=10)
        self._y += size + 22 + self.look.gap

    def _picture(self) -> None:
        """A still life of plain shapes in place of a photograph."""
        theme, width, y = self.look.theme, self.look.width, self._y
        self._brush.rectangle((0, y, width, y + 110), fill=theme.panel)
        self._brush.ellipse((width * 3 // 10, y + 15, width * 5 // 10, y + 95), fill=theme.accent)
        self._brush.rectangle((width // 2, y + 45, width * 7 // 10, y + 95), fill=theme.faint)
        self._y += 122


def draw(page: Page, draws: Draws) -> Image.Image:
    """Draw a page as one customer's screen shows it."""
    canvas = Canvas(look(draws))
    if canvas.look.status_bar:
        canvas.status_bar(f"{draws.between(8, 21):02}:{draws.between(10, 59)}")
    for block in page.blocks:
        canvas.add(block)
    if canvas.look.menu_bar:
        canvas.menu_bar()
    return canvas.finished()
