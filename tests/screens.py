"""Screens and papers drawn with Pillow, as phones, offices and web forms show them, for tests that read pictures."""

from collections.abc import Sequence
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
HAS_FONT = FONT.is_file()

Row = tuple[str, str]

ABOUT = {
    "zh": (
        ("名称", "小明的iPhone"),
        ("iOS版本", "17.4.1"),
        ("型号名称", "iPhone 15 Pro"),
        ("型号号码", "MTQA3CH/A"),
        ("序列号", "F2LXK9Q0P7"),
        ("歌曲", "128"),
        ("总容量", "256 GB"),
        ("可用容量", "87.31 GB"),
        ("运营商", "中国移动"),
    ),
    "en": (
        ("Name", "Ann's iPhone"),
        ("iOS Version", "17.4.1"),
        ("Model Name", "iPhone 15 Pro"),
        ("Model Number", "MTQA3CH/A"),
        ("Serial Number", "F2LXK9Q0P7"),
        ("Songs", "128"),
        ("Capacity", "256 GB"),
        ("Available", "87.31 GB"),
        ("Carrier", "China Mobile"),
    ),
}
CHAPTER = {
    "zh": (
        ("设备名称", "小明的手机"),
        ("型号", "iPhone 15 Pro"),
        ("系统版本", "17.4.1"),
        ("序列号", "F2LXK9Q0P7"),
        ("存储容量", "256 GB"),
    ),
    "en": (
        ("Device name", "Ann's phone"),
        ("Model", "iPhone 15 Pro"),
        ("System version", "17.4.1"),
        ("Serial number", "F2LXK9Q0P7"),
        ("Storage", "256 GB"),
    ),
}
ANDROID = {
    "zh": (
        ("设备名称", "Redmi K70"),
        ("型号", "23113RKC6C"),
        ("处理器", "骁龙8 Gen 2"),
        ("运行内存", "16 GB"),
        ("电池容量", "5000 mAh"),
        ("分辨率", "3200 x 1440"),
        ("Android版本", "14"),
        ("Android安全更新", "2024-03-01"),
        ("MIUI版本", "14.0.5"),
        ("基带版本", "MPSS.DE.3.0"),
        ("内核版本", "5.15.123"),
        ("版本号", "UKQ1.230804"),
    ),
    "en": (
        ("Device name", "Redmi K70"),
        ("Model", "23113RKC6C"),
        ("Processor", "Snapdragon 8"),
        ("RAM", "16 GB"),
        ("Battery capacity", "5000 mAh"),
        ("Resolution", "3200 x 1440"),
        ("Android version", "14"),
        ("Android security update", "2024-03-01"),
        ("MIUI version", "14.0.5"),
        ("Baseband version", "MPSS.DE.3.0"),
        ("Kernel version", "5.15.123"),
        ("Build number", "UKQ1.230804"),
    ),
}


def font(pixels: float) -> PIL.ImageFont.FreeTypeFont:
    """Return the font that has Chinese and Latin letters, so many pixels high."""
    return PIL.ImageFont.truetype(str(FONT), max(round(pixels), 8))


def settings_page(
    rows: Sequence[Row], title: str, *, dark: bool = False, width: int = 1170, chevrons: bool = True
) -> PIL.Image.Image:
    """Draw a phone's page of settings: label left, value right, an arrow at the edge of each row."""
    unit = width / 390
    paper, card, ink, grey = ("#000", "#1c1c1e", "#fff", "#98989f") if dark else ("#f2f2f7", "#fff", "#000", "#6d6d72")
    picture = PIL.Image.new("RGB", (width, round(width * 2532 / 1170)), paper)
    draw = PIL.ImageDraw.Draw(picture)
    draw.text((32 * unit, 16 * unit), "9:41", ink, font(16 * unit))
    draw.text((width - 32 * unit, 16 * unit), "5G 87%", ink, font(14 * unit), anchor="ra")
    draw.text((width / 2, 60 * unit), title, ink, font(18 * unit), anchor="ma")
    top = 110 * unit
    draw.rounded_rectangle((16 * unit, top, width - 16 * unit, top + 46 * unit * len(rows)), 10 * unit, card)
    for index, (label, value) in enumerate(rows):
        middle = top + (index + 0.5) * 46 * unit
        draw.text((32 * unit, middle), label, ink, font(16 * unit), anchor="lm")
        draw.text((width - (48 if chevrons else 32) * unit, middle), value, grey, font(16 * unit), anchor="rm")
        if chevrons:
            draw.text((width - 28 * unit, middle), "›", grey, font(20 * unit), anchor="rm")
    return picture


def phone_settings(
    language: str = "zh", dark: bool = False, *, width: int = 1170, chevrons: bool = True
) -> PIL.Image.Image:
    """Draw the page about a phone whose model is iPhone 15 Pro and whose system version is 17.4.1 (`zh` or `en`)."""
    title = "关于手机" if language == "zh" else "About phone"
    return settings_page(CHAPTER[language], title, dark=dark, width=width, chevrons=chevrons)


def about_iphone(language: str = "zh", dark: bool = False, *, width: int = 1170) -> PIL.Image.Image:
    """Draw the page of iOS about a phone, with two rows for its model."""
    return settings_page(ABOUT[language], "关于本机" if language == "zh" else "About", dark=dark, width=width)


def about_android(language: str = "zh", dark: bool = False, *, width: int = 1080) -> PIL.Image.Image:
    """Draw the page of Android about a phone, with six rows for its versions."""
    title = "关于手机" if language == "zh" else "About phone"
    return settings_page(ANDROID[language], title, dark=dark, width=width, chevrons=False)


def _columns(draw: PIL.ImageDraw.ImageDraw, xs: Sequence[float], y: float, texts: Sequence[str], size: float) -> None:
    for x, text in zip(xs, texts, strict=True):
        draw.text((x, y), text, "#111", font(size))


def invoice(language: str = "zh") -> PIL.Image.Image:
    """Draw an invoice: fields with colons in two columns, a table of two articles, totals at the right."""
    picture = PIL.Image.new("RGB", (1000, 760), "white")
    draw = PIL.ImageDraw.Draw(picture)
    texts = {
        "zh": (
            "电子发票",
            "发票号码：24317001",
            "开票日期：2024-03-15",
            "购买方：上海跨模科技",
            "销售方：北京书店",
            ("品名", "数量", "单价", "金额"),
            ("小计", "税额", "合计"),
        ),
        "en": (
            "INVOICE",
            "Invoice number: 24317001",
            "Invoice date: 2024-03-15",
            "Bill to: Kuamo Labs",
            "Seller: City Books",
            ("Item", "Qty", "Unit price", "Amount"),
            ("Subtotal", "Tax", "Total"),
        ),
    }[language]
    title, number, date, buyer, seller, head, sums = texts
    draw.text((500, 40), title, "#111", font(40), anchor="ma")
    _columns(draw, (60, 560), 130, (number, date), 26)
    _columns(draw, (60, 560), 180, (buyer, seller), 26)
    xs = (60, 420, 600, 800)
    _columns(draw, xs, 270, head, 26)
    articles = (("笔记本", "2", "15.00", "30.00"), ("钢笔", "1", "70.00", "70.00"))
    if language == "en":
        articles = (("Notebook", "2", "15.00", "30.00"), ("Fountain pen", "1", "70.00", "70.00"))
    for index, article in enumerate(articles):
        _columns(draw, xs, 320 + 50 * index, article, 26)
    for index, (label, value) in enumerate(zip(sums, ("100.00", "13.00", "113.00"), strict=True)):
        _columns(draw, (600, 800), 480 + 50 * index, (label, value), 26)
    return picture


def web_form(language: str = "en") -> PIL.Image.Image:
    """Draw a form of a web page: each label above its field, one field empty, a button."""
    fields = {
        "en": (
            ("Full name", "Li Ming"),
            ("Email", "li@example.com"),
            ("Phone number", "13800138000"),
            ("City", "Shanghai"),
            ("Address", ""),
        ),
        "zh": (("姓名", "李明"), ("邮箱", "li@example.com"), ("手机号", "13800138000"), ("城市", "上海"), ("地址", "")),
    }[language]
    picture = PIL.Image.new("RGB", (700, 760), "#f8f9fb")
    draw = PIL.ImageDraw.Draw(picture)
    draw.text((40, 30), "Registration" if language == "en" else "用户注册", "#111", font(32))
    for index, (label, value) in enumerate(fields):
        top = 110 + 110 * index
        draw.text((40, top), label, "#333", font(20))
        draw.rectangle((40, top + 34, 660, top + 84), "white", "#ccc")
        draw.text((54, top + 59), value, "#111", font(24), anchor="lm")
    draw.rectangle((40, 680, 200, 734), "#e8a33d")
    draw.text((120, 707), "Submit" if language == "en" else "提交", "white", font(22), anchor="mm")
    return picture
