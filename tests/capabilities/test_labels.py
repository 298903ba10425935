"""Questions on pictures, read by the real OCR engine and answered from labels; and questions that must not be."""

from functools import cache
from pathlib import Path

import PIL.Image
import pytest
import screens
from kuamo.capabilities.labels import Reply, answer_from_labels
from kuamo.contracts import Line, ReadRequest
from kuamo.engines.read.rapidocr import RapidOcr
from kuamo.media.image import from_pil

DRAWN = {
    "phone": lambda: screens.phone_settings("zh"),
    "phone small dark": lambda: screens.phone_settings("zh", True, width=390),
    "phone en": lambda: screens.phone_settings("en", True, width=750),
    "iphone": lambda: screens.about_iphone("zh", True, width=750),
    "iphone en": lambda: screens.about_iphone("en", width=750),
    "android": lambda: screens.about_android("zh", width=720),
    "android en": lambda: screens.about_android("en", True, width=540),
    "invoice": lambda: screens.invoice("zh"),
    "invoice en": lambda: screens.invoice("en"),
    "form": lambda: screens.web_form("zh"),
    "form en": lambda: screens.web_form("en"),
}
REAL = {"ticket": "wifi_ticket.jpg", "titanic": "screenshot_titanic.png", "login": "screenshot_login.png"}


@cache
def engine() -> RapidOcr:
    return RapidOcr.load("package:rapidocr", device="cpu", precision="auto")


@cache
def lines(picture: str, data: Path) -> tuple[Line, ...]:
    """Read a picture once for all tests."""
    drawn = DRAWN.get(picture)
    if drawn and not screens.HAS_FONT:
        pytest.skip("the font for Chinese letters (fonts-noto-cjk) is not installed")
    image = drawn() if drawn else PIL.Image.open(data / "images" / REAL[picture])
    return engine().read(ReadRequest(image=from_pil(image)))


def ask(picture: str, question: str, data: Path) -> Reply | None:
    return answer_from_labels(question, lines(picture, data))


ANSWERED = [
    # the printed ticket, photographed
    ("ticket", "What is the password?", "aaeu"),
    ("ticket", "密码是什么?", "aaeu"),
    ("ticket", "password", "aaeu"),
    ("ticket", "请问密码是多少？", "aaeu"),
    ("ticket", "Can you tell me the password?", "aaeu"),
    ("ticket", "你能告诉我密码吗？", "aaeu"),
    ("ticket", "What's the WiFi password?", "aaeu"),
    ("ticket", "无线网的密码是多少", "aaeu"),
    ("ticket", "What is the pasword", "aaeu"),
    ("ticket", "What is the hotel's password?", "aaeu"),
    ("ticket", "What is the username?", "fqpp"),
    ("ticket", "which user name should I use", "fqpp"),
    ("ticket", "用户名是什么", "fqpp"),
    ("ticket", "账号是多少？", "fqpp"),
    ("ticket", "How much traffic do I have?", "1 GB"),
    ("ticket", "流量有多少？", "1 GB"),
    ("ticket", "这张票的流量是多少", "1 GB"),
    ("ticket", "How many users can share it?", "4"),
    ("ticket", "How many shared users are there?", "4"),
    ("ticket", "共享用户数是多少?", "4"),
    ("ticket", "可以几个人共享？", "4"),
    ("ticket", "What is the price?", "0.00"),
    ("ticket", "How much does it cost?", "0.00"),
    ("ticket", "价格多少", "0.00"),
    ("ticket", "多少钱？", "0.00"),
    ("ticket", "What is the validity of the ticket?", "1w"),
    ("ticket", "How long is it valid?", "1w"),
    ("ticket", "有效期是多久？", "1w"),
    ("ticket", "When does it start?", "Now"),
    ("ticket", "什么时候开始", "Now"),
    ("ticket", "What are the username and the password?", "Username: fqpp; Password: aaeu"),
    ("ticket", "用户名和密码分别是什么？", "Username: fqpp; Password: aaeu"),
    # a form with labels above
    ("titanic", "What is the age?", "40"),
    ("titanic", "How old is the passenger?", "40"),
    ("titanic", "年龄是多少", "40"),
    ("titanic", "What is the fare?", "10"),
    ("titanic", "票价是多少？", "10"),
    ("titanic", "Which passenger class?", "second"),
    ("titanic", "舱位是什么", "second"),
    ("titanic", "What is the value of Perishes?", "15%"),
    ("titanic", "年龄和票价是多少？", "AGE: 40; FARE: 10"),
    # a phone's settings: the chapter's example
    ("phone", "系统版本是多少?", "17.4.1"),
    ("phone", "What is the system version?", "17.4.1"),
    ("phone", "这是什么型号，系统版本是多少？", "型号: iPhone 15 Pro; 系统版本: 17.4.1"),
    ("phone", "which model is this, which system version?", "型号: iPhone 15 Pro; 系统版本: 17.4.1"),
    ("phone", "Which iOS version is running on this phone?", "17.4.1"),
    ("phone", "手机的型号是什么？", "iPhone 15 Pro"),
    ("phone small dark", "系统版本是多少?", "17.4.1"),
    ("phone small dark", "这台手机是什么型号", "iPhone 15 Pro"),
    ("phone small dark", "存储有多大", "256 GB"),
    ("phone en", "What is the system version of this phone?", "17.4.1"),
    ("phone en", "这部手机的系统版本是多少", "17.4.1"),
    ("phone en", "序列号", "F2LXK9Q0P7"),
    ("phone en", "Which phone is this, and which version of the system?", "Model: iPhone 15 Pro; System version: 17.4.1"),
    ("iphone", "系统版本是多少？", "17.4.1"),
    ("iphone", "这是什么型号的手机？", "iPhone 15 Pro"),
    ("iphone", "model number", "MTQA3CH/A"),
    ("iphone", "还有多少可用空间", "87.31 GB"),
    ("iphone", "Which carrier?", "中国移动"),
    ("iphone", "有多少首歌", "128"),
    ("iphone en", "Which model is this, which system version?", "Model Name: iPhone 15 Pro; iOS Version: 17.4.1"),
    ("iphone en", "What's the capacity?", "256 GB"),
    ("iphone en", "运营商是什么", "China Mobile"),
    ("iphone en", "请告诉我型号和序列号", "Model Name: iPhone 15 Pro; Serial Number: F2LXK9Q0P7"),
    # a page with six versions
    ("android", "Android版本是多少", "14"),
    ("android", "内核版本是多少", "5.15.123"),
    ("android", "基带版本", "MPSS.DE.3.0"),
    ("android", "版本号是什么？", "UKQ1.230804"),
    ("android", "What is the MIUI version?", "14.0.5"),
    ("android", "系统版本是多少？", "14"),
    ("android", "电池的容量是多少", "5000 mAh"),
    ("android", "屏幕分辨率", "3200 x 1440"),
    ("android", "运行内存多大", "16 GB"),
    ("android en", "内核版本是多少", "5.15.123"),
    ("android en", "What is the build number?", "UKQ1.230804"),
    ("android en", "安全补丁是哪天的", "2024-03-01"),
    ("android en", "How much RAM does it have?", "16 GB"),
    ("android en", "Which Android version is it running?", "14"),
    ("android en", "What is the name of the device?", "Redmi K70"),
    # an invoice
    ("invoice", "合计多少钱？", "113.00"),
    ("invoice", "What is the total?", "113.00"),
    ("invoice", "发票号码是多少", "24317001"),
    ("invoice", "开票日期是哪天", "2024-03-15"),
    ("invoice", "税额", "13.00"),
    ("invoice", "Who is the seller?", "北京书店"),
    ("invoice en", "When was it issued?", "2024-03-15"),
    ("invoice en", "How much tax is on the invoice?", "13.00"),
    ("invoice en", "购买方是谁", "Kuamo Labs"),
    ("invoice en", "What are the subtotal, the tax and the total?", "Subtotal: 100.00; Tax: 13.00; Total: 113.00"),
    # a form of a web page
    ("form", "What is the email address?", "li@example.com"),
    ("form", "姓名是什么", "李明"),
    ("form", "手机号码是多少", "13800138000"),
    ("form en", "邮箱是什么？", "li@example.com"),
    ("form en", "What's the phone number?", "13800138000"),
    ("form en", "Which city?", "Shanghai"),
]

NOT_ANSWERED = [
    ("ticket", "What colour is the car?"),
    ("ticket", "这张图片里有几只猫?"),
    ("ticket", "Who sent this?"),
    ("ticket", "What time of day is it?"),
    ("ticket", "What time is it?"),
    ("ticket", "Is the password aaeu?"),
    ("ticket", "密码是aaeu吗？"),
    ("ticket", "密码是不是aaeu"),
    ("ticket", "Does it have a password?"),
    ("ticket", "How many passwords are there?"),
    ("ticket", "Why is there a password?"),
    ("ticket", "How do I change the password?"),
    ("ticket", "怎么修改密码"),
    ("ticket", "密码安全吗"),
    ("ticket", "What is the price of the room?"),
    ("ticket", "What is the password of my bank account?"),
    ("ticket", "What is the status?"),
    ("ticket", "Describe the picture."),
    ("ticket", "这是什么？"),
    ("ticket", "What is this?"),
    ("ticket", "Translate the password into French"),
    ("ticket", "What colour is the password printed in?"),
    ("ticket", "What is the phone number of the hotel?"),
    ("ticket", "酒店的地址在哪里"),
    ("ticket", "What should I do to log out?"),
    ("ticket", "Which is longer, the username or the password?"),
    ("login", "What is the username?"),
    ("login", "What is the password?"),
    ("login", "密码是什么"),
    ("login", "用户名是什么"),
    ("titanic", "What is the embark point?"),
    ("titanic", "登船口是哪个"),
    ("titanic", "Who is travelling with the passenger?"),
    ("titanic", "Is the passenger male?"),
    ("titanic", "How old is the ship?"),
    ("titanic", "Will the passenger survive?"),
    ("phone", "Is the system version 17.4.1?"),
    ("phone", "Is this phone new?"),
    ("phone", "内核版本是多少"),
    ("phone", "电池还剩多少"),
    ("phone", "How many apps are installed?"),
    ("phone", "屏幕是什么颜色的"),
    ("phone", "Who made this phone?"),
    ("android", "固件版本"),
    ("android", "iPhone的型号"),
    ("iphone", "内存有多大"),
    ("iphone", "什么时候买的"),
    ("invoice", "单价是多少"),
    ("invoice", "钢笔多少钱"),
    ("invoice", "笔记本的颜色"),
    ("invoice en", "What is the price of the notebook?"),
    ("invoice en", "What is the quantity?"),
    ("invoice en", "What is the total for the notebook?"),
    ("invoice en", "Who signed the invoice?"),
    ("form", "地址是什么"),
    ("form en", "What is the address?"),
    ("form en", "How old is Li Ming?"),
]


@pytest.mark.parametrize(("picture", "question", "answer"), ANSWERED)
def test_answered(picture: str, question: str, answer: str, data: Path) -> None:
    reply = ask(picture, question, data)
    assert reply is not None
    assert reply.text == answer


@pytest.mark.parametrize(("picture", "question"), NOT_ANSWERED)
def test_left_to_a_model(picture: str, question: str, data: Path) -> None:
    assert ask(picture, question, data) is None
