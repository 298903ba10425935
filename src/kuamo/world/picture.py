"""Scenes to pictures: shapes on a sky and a ground, in one of five styles."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import PIL.Image
from PIL import ImageChops, ImageDraw, ImageFilter, ImageOps

from kuamo.world.scene import Scene, Thing, words
from kuamo.world.tables import read_table

Picture = PIL.Image.Image
Colour = tuple[int, int, int]

SUPERSAMPLING = 4
FIXED: dict[str, Colour] = {
    "ink": (24, 24, 28), "white": (250, 250, 250), "cream": (244, 228, 196), "glass": (150, 206, 232),
    "brown": (110, 70, 38), "leaf": (52, 122, 44), "silver": (196, 200, 206), "orange": (246, 146, 30),
}  # fmt: skip
SKY_CENTRE, GROUND_BASE, HORIZON = 0.2, 0.93, 0.52
SIZES = {"small": 0.23, "large": 0.34}


def render(scene: Scene, side: int = 64) -> Picture:
    """Return the scene as an RGB picture of side × side pixels."""
    random = Random(scene.seed)
    canvas = _background(scene, side * SUPERSAMPLING, random)
    for thing in scene.things:
        _draw_thing(canvas, thing, scene, random)
    styled = STYLES[scene.style](canvas.resize((side * 2, side * 2), PIL.Image.Resampling.BOX), random)
    _weather(styled, scene.weather, random)
    return styled.resize((side, side), PIL.Image.Resampling.BOX)


def shapes() -> dict[str, list[list[Any]]]:
    """Return shapes.toml: the primitives of each kind of thing."""
    return read_table("shapes")


def _shade(colour: Colour, light: float) -> Colour:
    red, green, blue = (max(0, min(255, round(value * light))) for value in colour)
    return red, green, blue


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Picture:
    column = PIL.Image.new("RGB", (1, 2))
    column.putdata([top, bottom])
    return column.resize(size, PIL.Image.Resampling.BILINEAR)


def _background(scene: Scene, side: int, random: Random) -> Picture:
    time, ground = words()["time"][scene.time], words()["ground"][scene.ground]
    horizon = round(side * (HORIZON + random.uniform(-0.03, 0.03)))
    canvas = PIL.Image.new("RGB", (side, side))
    canvas.paste(_gradient((side, horizon), tuple(time["top"]), tuple(time["bottom"])))
    base: Colour = _shade(tuple(ground["rgb"]), time["light"] * random.uniform(0.94, 1.06))
    canvas.paste(_gradient((side, side - horizon), _shade(base, 0.88), _shade(base, 1.1)), (0, horizon))
    draw = ImageDraw.Draw(canvas)
    _light_of(draw, scene.time, side, random)
    _texture(draw, scene.ground, base, horizon, side, random)
    return canvas


def _light_of(draw: ImageDraw.ImageDraw, time: str, side: int, random: Random) -> None:
    if time == "night":
        for _ in range(18):
            x, y = random.uniform(0, side), random.uniform(0, side * 0.45)
            draw.ellipse((x, y, x + 2, y + 2), (255, 255, 230))
    if time in ("morning", "evening"):
        x, radius = random.uniform(0.2, 0.8) * side, side * 0.07
        centre = side * (HORIZON - 0.03)
        draw.ellipse(
            (x - radius, centre - radius, x + radius, centre), (255, 236, 170) if time == "morning" else (255, 90, 40)
        )


def _texture(draw: ImageDraw.ImageDraw, ground: str, base: Colour, horizon: int, side: int, random: Random) -> None:
    if ground == "road":
        draw.polygon((side * 0.46, horizon, side * 0.54, horizon, side * 0.6, side, side * 0.4, side), (232, 226, 200))
        return
    strokes = {"field": 40, "sea": 26, "snow": 10, "desert": 14}[ground]
    for _ in range(strokes):
        x, y = random.uniform(0, side), random.uniform(horizon, side)
        colour = _shade(base, random.choice((0.82, 1.16)))
        if ground == "field":
            draw.line((x, y, x + random.uniform(-2, 2), y - side * 0.03), colour, 2)
        else:
            draw.arc((x, y, x + side * 0.12, y + side * 0.05), 180, 360, colour, 2)


def _draw_thing(canvas: Picture, thing: Thing, scene: Scene, random: Random) -> None:
    side = canvas.width
    size = side * SIZES[thing.size] * random.uniform(0.94, 1.06)
    x = side * ((thing.column + 0.5) / 3 + random.uniform(-0.02, 0.02)) - size / 2
    y = side * (SKY_CENTRE + random.uniform(-0.03, 0.03)) - size / 2
    if not thing.sky:
        y = side * (GROUND_BASE + random.uniform(-0.04, 0.03)) - size
    light = 0.5 + 0.5 * float(words()["time"][scene.time]["light"])
    main: Colour = tuple(words()["colour"][thing.colour]["rgb"])
    colours = FIXED | {"main": main, "dark": _shade(main, 0.72), "light": _shade(main, 1.35)}
    draw = ImageDraw.Draw(canvas)
    for name, colour, *numbers in shapes()[thing.kind]:
        _primitive(draw, name, _shade(colours[colour], light), numbers, x, y, size)


def _primitive(
    draw: ImageDraw.ImageDraw, name: str, colour: Colour, numbers: list[float], x: float, y: float, size: float
) -> None:
    width, numbers = (numbers[0] * size, numbers[1:]) if name == "line" else (0.0, numbers)
    points = [(x + across * size, y + down * size) for across, down in zip(numbers[::2], numbers[1::2], strict=True)]
    if name == "ellipse":
        draw.ellipse(points, colour)
    elif name == "polygon":
        draw.polygon(points, colour)
    else:
        draw.line(points, colour, max(1, round(width)), "curve")


def _weather(canvas: Picture, weather: str, random: Random) -> None:
    draw, side = ImageDraw.Draw(canvas), canvas.width
    for _ in range({"clear": 0, "rain": 55, "snowfall": 60}[weather]):
        x, y = random.uniform(0, side), random.uniform(0, side)
        if weather == "rain":
            draw.line((x, y, x - side * 0.02, y + side * 0.08), (150, 190, 236), 1)
        else:
            draw.ellipse((x, y, x + side * 0.02, y + side * 0.02), (255, 255, 255), (170, 180, 200))


def _photo(picture: Picture, random: Random) -> Picture:
    noise = np.random.default_rng(random.getrandbits(32)).normal(0, 9, (picture.height, picture.width, 3))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    return PIL.Image.fromarray(np.clip(soft + noise, 0, 255).astype(np.uint8))


def _oil(picture: Picture, random: Random) -> Picture:
    strokes = picture.filter(ImageFilter.ModeFilter(5))
    relief = strokes.convert("L").filter(ImageFilter.EMBOSS).convert("RGB")
    return PIL.Image.blend(strokes, ImageChops.overlay(strokes, relief), 0.6)


def _edges(picture: Picture) -> Picture:
    return ImageOps.invert(picture.convert("L").filter(ImageFilter.FIND_EDGES))


def _cartoon(picture: Picture, random: Random) -> Picture:
    flat = ImageOps.posterize(picture, 3)
    outline = _edges(picture).point([0 if value < 170 else 255 for value in range(256)])
    return ImageChops.darker(PIL.Image.blend(flat, picture, 0.4), outline.convert("RGB"))


def _watercolour(picture: Picture, random: Random) -> Picture:
    wet = picture.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(0.9))
    paper = np.random.default_rng(random.getrandbits(32)).normal(
        0, 9, (picture.height // 2 + 1, picture.width // 2 + 1)
    )
    grain = np.kron(paper, np.ones((2, 2)))[: picture.height, : picture.width, None]
    pale = 255 - (255 - np.asarray(wet, dtype=np.float32)) * 0.72
    return PIL.Image.fromarray(np.clip(pale + grain, 0, 255).astype(np.uint8))


def _sketch(picture: Picture, random: Random) -> Picture:
    """Coloured pencil: lines on paper with a light tint, so that what is true of the colours can still be seen."""
    tint = PIL.Image.blend(PIL.Image.new("RGB", picture.size, (250, 248, 240)), picture, 0.42)
    lines = _edges(picture).point([min(255, round(value * 1.1)) for value in range(256)]).convert("RGB")
    return ImageChops.multiply(tint, lines)


STYLES: dict[str, Callable[[Picture, Random], Picture]] = {
    "photo": _photo, "oil": _oil, "cartoon": _cartoon, "watercolour": _watercolour, "sketch": _sketch,
}  # fmt: skip
