"""Chest slices to pictures: a drawn phantom, seen through a scanner's blur and noise. No patient, no clinical use.

The picture is VIEW_MM wide and high: 3 mm a pixel at 64 pixels, 0.75 mm at 256. Hounsfield units become grey by the
window of LEVEL_HU and WIDTH_HU, near the one that radiologists read lungs with (-600, 1500).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFilter

from kuamo.world.chest import VIEW_MM, Chest, Frame, Nodule, anatomy
from kuamo.world.picture import SUPERSAMPLING, Picture

Point = tuple[float, float]

LEVEL_HU, WIDTH_HU = -350, 1500
BLUR_MM, GRAIN_MM, NOISE_HU = 0.6, 0.8, 26
SKIN, FLESH, RIBS, LUNGS = (90, 70), (87, 67), (82.5, 62), (78, 57)
RIB_DEGREES = (-64, -40, -16, 10, 36, 60)
VESSEL_MM, THINNEST_MM, STEP_MM = 2.8, 0.6, 4.5
FISSURE_MM = 2.0


def render(chest: Chest, side: int = 64) -> Picture:
    """Return the slice as an RGB picture of side × side pixels, the three channels alike.

    The scanner is a Gaussian point spread, pixels that average over their area, and Gaussian noise of NOISE_HU with the
    short correlation that a reconstruction kernel leaves.
    """
    random = Random(chest.seed)
    fine = PIL.Image.new("L", (side * SUPERSAMPLING, side * SUPERSAMPLING), grey("air"))
    pen = _Pen(ImageDraw.Draw(fine), fine.width / VIEW_MM, Frame.of(chest.seed))
    _body(pen, random)
    _vessels(pen, chest, random)
    for shape in (*anatomy()["organs"][chest.level], *anatomy()["organs"]["spine"]):
        pen.shape(shape, random)
    if chest.nodule:
        _nodule(replace(pen, frame=Frame()), chest.nodule, random)
    seen = fine.filter(ImageFilter.GaussianBlur(BLUR_MM * pen.scale)).resize((side, side), PIL.Image.Resampling.BOX)
    return _with_noise(seen, random).convert("RGB")


def grey(tissue: str) -> int:
    """Return the grey, 0 to 255, of a tissue of chest_anatomy.toml."""
    hounsfield: float = anatomy()["tissue"][tissue]
    share = (hounsfield - LEVEL_HU) / WIDTH_HU + 0.5
    return round(255 * min(1.0, max(0.0, share)))


@dataclass(frozen=True)
class _Pen:
    """Draws in the millimetres of a frame; `scale` is pixels a millimetre."""

    draw: ImageDraw.ImageDraw
    scale: float
    frame: Frame

    def shape(self, shape: Sequence[Any], random: Random) -> None:
        """A part of chest_anatomy.toml, a little moved and stretched where it is an oval."""
        name, tissue, *numbers = shape
        if name == "oval":
            x, y, across, down = numbers
            stretch = random.uniform(0.96, 1.04)
            centre = (x + random.uniform(-1, 1), y + random.uniform(-1, 1))
            self.oval(tissue, centre, (across * stretch, down * stretch))
        elif name == "polygon":
            self.polygon(tissue, _pairs(numbers))
        else:
            self.line(tissue, numbers[0], _pairs(numbers[1:]))

    def oval(self, tissue: str, centre: Point, radii: Point) -> None:
        (x, y), (across, down) = centre, radii
        self.draw.ellipse(self._pixels([(x - across, y - down), (x + across, y + down)]), grey(tissue))

    def polygon(self, tissue: str, points: Sequence[Point]) -> None:
        self.draw.polygon(self._pixels(points), grey(tissue))

    def line(self, tissue: str, width: float, points: Sequence[Point]) -> None:
        self.draw.line(self._pixels(points), grey(tissue), max(1, round(width * self.scale)), "curve")

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        placed = (self.frame.place(*point) for point in points)
        return [((x + VIEW_MM / 2) * self.scale, (y + VIEW_MM / 2) * self.scale) for x, y in placed]


def _pairs(numbers: Sequence[float]) -> list[Point]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _arc(radii: Point, start: float, end: float) -> list[Point]:
    """Points of an oval about the middle, from one angle to another in degrees; 0 is the picture's right."""
    angles = [math.radians(start + (end - start) * step / 8) for step in range(9)]
    return [(radii[0] * math.cos(angle), radii[1] * math.sin(angle)) for angle in angles]


def _body(pen: _Pen, random: Random) -> None:
    pen.line("couch", 2.2, [(x, 79 - (x / 40) ** 2) for x in range(-88, 89, 8)])
    for tissue, radii in (("fat", SKIN), ("muscle", FLESH), ("lung", LUNGS)):
        pen.oval(tissue, (0, 0), radii)
    turn = random.uniform(-5, 5)
    for degrees in RIB_DEGREES:
        for start in (degrees + turn, 180 - degrees - turn):
            arc = _arc(RIBS, start - 6.5, start + 6.5)
            pen.line("bone", 5.5, arc)
            pen.line("marrow", 2.4, arc)


def _vessels(pen: _Pen, chest: Chest, random: Random) -> None:
    """Vessels that branch from each hilum and thin out, and some cut across: none as wide as the smallest nodule."""
    for side in (-1, 1):
        for degrees in range(-65, 66, 26):
            angle = math.radians(degrees + random.uniform(-8, 8))
            _branch(pen, chest, (side * 16.0, 3.0), angle if side > 0 else math.pi - angle, VESSEL_MM, random)
        for _ in range(14):
            x, y = side * random.uniform(18, 72), random.uniform(-50, 50)
            radius = random.uniform(0.6, 1.3)
            if _is_free(pen, chest, (x, y)):
                pen.oval("vessel", (x, y), (radius, radius))


def _branch(pen: _Pen, chest: Chest, start: Point, angle: float, width: float, random: Random) -> None:
    while width > THINNEST_MM:
        angle += random.gauss(0, 0.14)
        end = (start[0] + STEP_MM * math.cos(angle), start[1] + STEP_MM * math.sin(angle))
        if not _is_free(pen, chest, end):
            return
        pen.line("vessel", width, [start, end])
        if random.random() < 0.16:
            _branch(pen, chest, end, angle + random.choice((-0.7, 0.7)), width * 0.7, random)
        start, width = end, width * 0.89


def _is_free(pen: _Pen, chest: Chest, point: Point) -> bool:
    """Whether a vessel may come here: in the lungs, off the fissures, clear of the nodule so that its border shows."""
    outside = math.hypot(point[0] / LUNGS[0], point[1] / LUNGS[1]) > 0.95
    if outside or (chest.level == "middle" and abs(point[0]) > 30 and abs(point[1] - FISSURE_MM) < 4.5):
        return False
    x, y = pen.frame.place(*point)
    nodule = chest.nodule
    return nodule is None or math.hypot(x - nodule.x_mm, y - nodule.y_mm) > nodule.reach_mm + 2


def _nodule(pen: _Pen, nodule: Nodule, random: Random) -> None:
    radius, shift = nodule.size_mm / 2, random.uniform(0, math.tau)
    waves = [(order, random.uniform(0, 0.04)) for order in (2, 3)]

    def at(angle: float, length: float) -> Point:
        return nodule.x_mm + length * math.cos(angle), nodule.y_mm + length * math.sin(angle)

    angles = [math.tau * step / 72 for step in range(72)]
    ripples = [1 + sum(size * math.cos(order * angle + shift) for order, size in waves) for angle in angles]
    pen.polygon("nodule", [at(angle, radius * ripple) for angle, ripple in zip(angles, ripples, strict=True)])
    if nodule.border == "spiculated":
        count = round(4 + nodule.size_mm / 5)
        for number in range(count):
            angle = shift + (number + random.uniform(-0.25, 0.25)) * math.tau / count
            root, half = radius * 0.9, (0.6 + 0.06 * nodule.size_mm) / radius
            tip = nodule.reach_mm * random.uniform(0.9, 1)
            pen.polygon("nodule", [at(angle - half, root), at(angle, tip), at(angle + half, root)])


def _with_noise(picture: Picture, random: Random) -> Picture:
    side = picture.width
    white = np.random.default_rng(random.getrandbits(32)).normal(128, 40, (side, side))
    grain = PIL.Image.fromarray(np.clip(white, 0, 255).astype(np.uint8))
    noise = np.asarray(grain.filter(ImageFilter.GaussianBlur(GRAIN_MM * side / VIEW_MM)), dtype=np.float32)
    wanted = NOISE_HU * 255 / WIDTH_HU
    noisy = np.asarray(picture, dtype=np.float32) + (noise - noise.mean()) * (wanted / noise.std())
    return PIL.Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
