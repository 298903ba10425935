"""Draw the sample pictures that the studio offers: a phone's settings, in English and in Chinese.

Run `python docs/samples.py`; it needs the Noto Sans CJK fonts.
"""

from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

FONTS = Path("/usr/share/fonts/opentype/noto")
FOLDER = Path(__file__).parent.parent / "src" / "kuamo" / "ui"
SIZE = (750, 1060)
SCREENS = {
    "en": (
        "About",
        (("Name", "Lin's phone"), ("System version", "17.4.1"), ("Model name", "Aurora 12 Pro")),
        (("Songs", "248"), ("Photos", "3,016"), ("Capacity", "256 GB"), ("Available", "91.7 GB")),
    ),
    "zh": (
        "关于本机",
        (("名称", "小林的手机"), ("系统版本", "17.4.1"), ("型号名称", "极光 12 Pro")),
        (("歌曲", "248"), ("照片", "3,016"), ("总容量", "256 GB"), ("可用容量", "91.7 GB")),
    ),
}


def font(size: int, weight: str = "Regular") -> PIL.ImageFont.FreeTypeFont:
    """Return Noto Sans CJK SC in a size."""
    return PIL.ImageFont.truetype(FONTS / f"NotoSansCJK-{weight}.ttc", size, index=2)


def screen(title: str, *groups: tuple[tuple[str, str], ...]) -> PIL.Image.Image:
    """Return a settings screen: a title and groups of labelled values."""
    picture = PIL.Image.new("RGB", SIZE, "#f2f2f6")
    pen = PIL.ImageDraw.Draw(picture)
    pen.text((40, 22), "9:41", "#1c1c1e", font(30, "Bold"))
    pen.rounded_rectangle((650, 32, 706, 58), 8, outline="#1c1c1e", width=3)
    pen.rounded_rectangle((655, 37, 692, 53), 4, "#1c1c1e")
    pen.text((SIZE[0] / 2, 130), title, "#1c1c1e", font(40, "Bold"), anchor="mm")
    top = 190
    for group in groups:
        pen.rounded_rectangle((30, top, SIZE[0] - 30, top + 100 * len(group)), 24, "white")
        for row, (label, value) in enumerate(group):
            middle = top + 100 * row + 50
            pen.text((64, middle), label, "#1c1c1e", font(33), anchor="lm")
            pen.text((SIZE[0] - 64, middle), value, "#77777c", font(33), anchor="rm")
            if row:
                pen.line((64, middle - 50, SIZE[0] - 30, middle - 50), "#e3e3e8", 2)
        top += 100 * len(group) + 44
    return picture


for language, content in SCREENS.items():
    screen(*content).quantize(64).save(FOLDER / f"sample-{language}.png", optimize=True)
