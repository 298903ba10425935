"""An example of a data set made anew: pictures with their texts, or a sound with its text, and what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from kuamo.data.augment.mirror import mirror_texts
from kuamo.data.augment.picture import crop, crop_box, mirror, names_colour, random_colour, recolour
from kuamo.data.augment.speech import change_pitch, change_speed, made_room, mix_noise, place_in
from kuamo.data.augment.synonyms import replace_synonyms
from kuamo.media.audio import Audio
from kuamo.media.image import Image

ANSWERS = ("answer", "assistant")  # roles whose words are what a model is to learn: never rewritten but left for right


@dataclass(frozen=True, kw_only=True)
class AugmentedPictures:
    """Pictures and texts by role after augmentation; `done` says what was done, in JSON's types."""

    images: tuple[Image, ...]
    texts: Mapping[str, str]
    done: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AugmentedSpeech:
    """A sound after augmentation; what was said is the same. Times in it are those of the original × `time_scale`."""

    audio: Audio
    time_scale: float
    done: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PictureAugmentation:
    """How much pictures and their texts may change: chances and shares from 0 (never) to 1.

    `flip` is the chance of a mirror, `crop` the least part of each edge that is kept, `colour` the most that
    brightness, contrast and saturation change, `synonyms` the share of words replaced, but in answers.
    """

    flip: float = 0.5
    crop: float = 0.9
    colour: float = 0.2
    synonyms: float = 0.3

    def augment(
        self, images: Sequence[Image], texts: Mapping[str, str], random: np.random.Generator
    ) -> AugmentedPictures:
        """Return pictures and their texts changed by chance (see `chance`), in ways that keep the texts true.

        A picture is mirrored only where `mirror_text` can mend every text; its hue and saturation change only where
        no text names a colour.
        """
        done: dict[str, Any] = {}
        mirrored = mirror_texts(texts.values())
        if random.random() < self.flip and mirrored is not None:
            images, texts = [mirror(image) for image in images], dict(zip(texts, mirrored, strict=True))
            done["mirrored"] = True
        if self.crop < 1:
            boxes = [crop_box(image, random, self.crop) for image in images]
            images = [crop(image, box) for image, box in zip(images, boxes, strict=True)]
            done["cropped"] = [list(box) for box in boxes]
        if self.colour:
            colour = random_colour(random, self.colour, tones_only=any(map(names_colour, texts.values())))
            images = [recolour(image, colour) for image in images]
            done["colour"] = asdict(colour)
        texts, replaced = self._reword(texts, random)
        return AugmentedPictures(images=tuple(images), texts=texts, done={**done, **replaced})

    def _reword(
        self, texts: Mapping[str, str], random: np.random.Generator
    ) -> tuple[dict[str, str], dict[str, dict[str, list[list[str]]]]]:
        reworded, replaced = dict(texts), {}
        for role, text in texts.items():
            if not role.startswith(ANSWERS):
                reworded[role], words = replace_synonyms(text, random, self.synonyms)
                if words:
                    replaced[role] = [list(pair) for pair in words]
        return reworded, {"synonyms": replaced} if replaced else {}


@dataclass(frozen=True, kw_only=True)
class SpeechAugmentation:
    """How much recordings may change.

    `speed` is the most that they get faster or slower (0.1: from 0.9 to 1.1 times), `semitones` the most that the voice
    gets higher or lower, `snr_db` how far the speech stands above added noise (least, most), `room_seconds` the longest
    reverberation (RT60). `noises` and `rooms` are recordings and impulse responses to choose from; without any, noise
    is white and rooms are made.
    """

    speed: float = 0.1
    semitones: float = 2
    snr_db: tuple[float, float] | None = (10, 30)
    room_seconds: float = 0.4
    noises: Sequence[Audio] = field(default=(), repr=False)
    rooms: Sequence[Audio] = field(default=(), repr=False)

    def augment(self, audio: Audio, random: np.random.Generator) -> AugmentedSpeech:
        """Return a recording changed by chance (see `chance`): speed, pitch, room, then noise, never clipped."""
        done: dict[str, Any] = {}
        speed = float(random.uniform(1 - self.speed, 1 + self.speed))
        if self.speed:
            audio = change_speed(audio, speed)
            done["speed"] = speed
        if self.semitones:
            done["semitones"] = float(random.uniform(-self.semitones, self.semitones))
            audio = change_pitch(audio, done["semitones"])
        if self.room_seconds or self.rooms:
            audio, done["room"] = self._in_room(audio, random)
        if self.snr_db:
            audio, done["noise"] = self._in_noise(audio, random)
        return AugmentedSpeech(audio=audio, time_scale=1 / speed if self.speed else 1.0, done=done)

    def _in_room(self, audio: Audio, random: np.random.Generator) -> tuple[Audio, dict[str, Any]]:
        if self.rooms:
            number = int(random.integers(len(self.rooms)))
            return place_in(audio, self.rooms[number]), {"number": number}
        seconds = float(random.uniform(0.25, 1) * self.room_seconds)
        return place_in(audio, made_room(seconds, audio.sample_rate_hz, random)), {"seconds": seconds}

    def _in_noise(self, audio: Audio, random: np.random.Generator) -> tuple[Audio, dict[str, Any]]:
        assert self.snr_db
        snr_db = float(random.uniform(*self.snr_db))
        number = int(random.integers(len(self.noises))) if self.noises else None
        noise = None if number is None else self.noises[number]
        return mix_noise(audio, noise, snr_db, random), {"snr_db": snr_db, "number": number}
