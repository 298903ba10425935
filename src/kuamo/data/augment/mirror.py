"""What a text says of left and right after its picture was mirrored, or that the picture must not be."""

import re
from collections.abc import Iterable

OTHER_SIDE = {"left": "right", "right": "left", "左": "右", "右": "左"}

# A mirror shows writing, maps, clocks and bodies that cannot be.
UNFIT_ENGLISH = (
    r"text|words?|letters?|writings?|written|writes?|reads?|says?|signs?|signage|labels?|labell?ed|titles?|titled|"
    r"captions?|logos?|brands?|numbers?|numbered|digits?|numerals?|menus?|screens?|screenshots?|posters?|banners?|"
    r"billboards?|license plates?|number plates?|documents?|receipts?|tickets?|invoices?|passwords?|usernames?|"
    r"versions?|keyboards?|calendars?|qr codes?|barcodes?|charts?|graphs?|diagrams?|maps?|clocks?|watch face|o'clock|"
    r"(?:anti|counter)?-?clockwise|north(?:ern)?|south(?:ern)?|east(?:ern)?|west(?:ern)?|"
    r"x-?rays?|radiographs?|ct|mri|scans?|lungs?|heart"
)
UNFIT_CHINESE = (
    r"写着|写有|写的|印着|印有|字样|文字|汉字|个字|什么字|标语|标签|招牌|标牌|路牌|车牌|指示牌|广告|标志|商标|标题|字母|数字|"
    r"号码|编号|屏幕|截图|界面|菜单|海报|横幅|二维码|条形码|车票|门票|发票|小票|签名|键盘|日历|图表|版本|密码|用户名|"
    r"地图|时钟|钟表|钟面|点钟|顺时针|逆时针|[东南西北](?:边|面|侧|方|部|侧)|朝[东南西北]|CT|核磁|X\s?光|胸片|造影|扫描|肺|心脏"
)
QUOTED = r"[\"“”「」『』《》]|(?<!\w)'[^']+'(?!\w)"
UNFIT = re.compile(rf"\b(?:{UNFIT_ENGLISH})\b|{UNFIT_CHINESE}|{QUOTED}", re.IGNORECASE)

# Where 左 and 右 are part of another word, they stay.
KEPT_CHINESE = re.compile(
    r"左右|右左|座右铭|左邻右舍|左思右想|左顾右盼|左膀右臂|左[派翼倾]|右[派翼倾]|极[左右]|左宗棠|姓左|"
    r"左(?:先生|女士|小姐|老师|总)|左传|左轮|左道|相左|无出其右|豪右"
)

ENDINGS = r"most|wards?|[- ]?hand(?:ed)?"
CHINESE = re.compile("[左右]")
ENGLISH = re.compile(rf"\b(left|right)(?=(?:{ENDINGS})?\b)", re.IGNORECASE)
# In another sense.
IDIOMS = re.compile(
    r"\b(?:right (?:away|now|here|there|after|before|next to|beside|behind|in front|above|below|under|on time|through|"
    r"into|angles?|of way|side up)|all right|that's right|you're right|"
    r"left (?:over|behind|out|open|alone|unattended)|left-overs?|left-wing|right-wing|right-angled|right-click)\b",
    re.IGNORECASE,
)
DETERMINERS = r"(?:the|its|his|her|their|my|our|your)\s+"
PLACES = r"upper|lower|top|bottom|far|center|centre|middle|front|back|rear"
PARTS = (
    r"side(?! up)|hand|corner|edge|half|third|part|foot|leg|arm|eye|ear|knee|shoulder|elbow|wing|paw|cheek|lane|"
    r"margin|of (?!way)"
)
MOVES = (
    r"fac(?:es?|ing)|look(?:s|ing|ed)?|turn(?:s|ing|ed)?|point(?:s|ing|ed)?|head(?:s|ing|ed)?|lean(?:s|ing|ed)?|"
    r"mov(?:es?|ing|ed)|run(?:s|ning)?|walk(?:s|ing|ed)?|fly(?:ing)?|flies|go(?:es|ing)?|tilt(?:s|ing|ed)?"
)
AFTER = (
    r"(?=\s*(?:$|[.,;:!?)，。；：！？]|(?:and|or|of|is|are|was|were|has|have|with|in|on|at|from|by|while|there|a|an|the|you|"
    r"stands?|sits?|lies?)\b))"
)
# A side: "on the left", "upper right", "left of", "facing left", "left and right", "Left: …", or nothing else.
SIDES = re.compile(
    rf"\b(?:on|to|at|in|from|into|toward|towards|off)\s+{DETERMINERS}(?:(?:{PLACES}|very)[- ]+)?(?:left|right)\b{AFTER}"
    rf"|\b(?:{PLACES})[- ](?:left|right)\b(?!\s+(?:the|an?|his|her|its|their|early|for|home|to)\b)"
    rf"|\b(?:left|right)[- ](?:{PARTS})"
    rf"|\b(?:left|right)(?:{ENDINGS})\b"
    rf"|\b(?:{MOVES})\s+(?:to\s+)?(?:left|right)(?=\s*(?:$|[.,;:!?，。]|(?:and|or|while|with|toward|towards)\b))"
    rf"|\b(?:left|right)(?=\s*:)"
    rf"|^\s*(?:left|right)(?=\s*[.。]?\s*$)",
    re.IGNORECASE,
)
PAIRS = re.compile(r"\b(?:left|right)(?:\s+(?:and|or|to)\s+(?:the\s+)?|-to-|\s*/\s*)(?:left|right)\b", re.IGNORECASE)


def mirror_text(text: str) -> str | None:
    """Return what a text says of its picture once that is mirrored: left for right, 左 for 右, and the other way.

    None: the picture must not be mirrored, for the text speaks of writing to be read, of a map, a clock, a compass
    point or a body's inside, or uses a word whose sense cannot be told ("the right one"). Mirroring twice gives the
    text again.
    """
    mirrored = _swap(text)
    return mirrored if mirrored is not None and _swap(mirrored) == text else None


def mirror_texts(texts: Iterable[str]) -> list[str] | None:
    """Return the mirrored texts of one picture; None where it must not be mirrored for any of them."""
    mirrored = [mirror_text(text) for text in texts]
    return None if None in mirrored else [text for text in mirrored if text is not None]


def _swap(text: str) -> str | None:
    kept = [match.span() for pattern in (IDIOMS, KEPT_CHINESE) for match in pattern.finditer(text)]
    words = [match for match in ENGLISH.finditer(text) if not _within(match.start(), kept)]
    sides = {
        word.start()
        for pattern in (SIDES, PAIRS)
        for match in pattern.finditer(text)
        for word in ENGLISH.finditer(text, *match.span())
    }
    if UNFIT.search(text) or not sides.issuperset(word.start() for word in words):
        return None
    if any(_within(side, kept) for side in sides):
        return None
    words += [match for match in CHINESE.finditer(text) if not _within(match.start(), kept)]
    for start, word in sorted(((word.start(), word.group()) for word in words), reverse=True):
        text = text[:start] + _in_case_of(word, OTHER_SIDE[word.lower()]) + text[start + len(word) :]
    return text


def _within(place: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _in_case_of(model: str, word: str) -> str:
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word
