"""A field of sunflowers by day, and three questions about it with their answers."""

from kuamo.messages import Language
from kuamo.world.scene import Scene, Thing

FIELD = Scene(
    time="day", weather="clear", ground="field", style="photo", seed=7,
    things=(
        Thing("cloud", "white", "large", 0, True), Thing("sunflower", "yellow", "large", 0, False),
        Thing("cloud", "white", "small", 1, True), Thing("house", "red", "large", 2, False),
    ),
)  # fmt: skip
TURNS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (("What time of day is it?", "day"), ("How many clouds?", "2"), ("What is left of the house?", "sunflower")),
    "zh": (("现在是什么时候？", "白天"), ("有几朵云？", "2"), ("房子左边有什么？", "向日葵")),
}
