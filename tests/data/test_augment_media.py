"""Augmented pictures and recordings: deterministic, unclipped, as long as promised, true to their texts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.data.augment.chance import chance
from kuamo.data.augment.example import PictureAugmentation, SpeechAugmentation
from kuamo.data.augment.picture import Colour, crop, crop_box, mirror, names_colour, random_colour, recolour
from kuamo.data.augment.speech import change_pitch, change_speed, made_room, mix_noise, place_in
from kuamo.media.audio import Audio, read_audio
from kuamo.media.image import Image
from kuamo.media.limits import Limits

RATE = 16_000


def picture(width: int = 60, height: int = 40) -> Image:
    return Image(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def tone(seconds: float = 1.0, hertz: float = 440, level: float = 0.5) -> Audio:
    moments = np.arange(int(seconds * RATE)) / RATE
    return Audio((level * np.sin(2 * np.pi * hertz * moments)).astype(np.float32), RATE)


def pitch(audio: Audio) -> float:
    return float(np.abs(np.fft.rfft(audio.samples)).argmax() * RATE / len(audio.samples))


@given(st.integers(1, 30), st.integers(1, 30))
def test_mirroring_twice_gives_the_picture_again(width: int, height: int) -> None:
    image = picture(width, height)
    np.testing.assert_array_equal(mirror(mirror(image)).pixels, image.pixels)
    np.testing.assert_array_equal(mirror(image).pixels[:, 0], image.pixels[:, -1])


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 1), st.integers(0, 99))
def test_a_crop_lies_within_and_keeps_what_it_must(width: int, height: int, least: float, seed: int) -> None:
    image = picture(width, height)
    left, top, kept_width, kept_height = crop_box(image, np.random.default_rng(seed), least)
    assert 0 <= left <= left + kept_width <= width
    assert 0 <= top <= top + kept_height <= height
    assert kept_width >= least * width - 1
    assert kept_height >= least * height - 1
    part = crop(image, (left, top, kept_width, kept_height))
    assert (part.width, part.height) == (kept_width, kept_height)
    np.testing.assert_array_equal(part.pixels[0, 0], image.pixels[top, left])


def test_colour_changes_what_it_says() -> None:
    image = picture()
    np.testing.assert_array_equal(recolour(image, Colour()).pixels, image.pixels)
    assert recolour(image, Colour(brightness=1.2)).pixels.mean() > image.pixels.mean()
    assert recolour(image, Colour(contrast=0.5)).pixels.std() < image.pixels.std()
    assert np.ptp(recolour(image, Colour(saturation=0)).pixels.astype(int), axis=2).max() == 0
    red = Image(np.full((4, 4, 3), (255, 0, 0), np.uint8))
    np.testing.assert_allclose(recolour(red, Colour(hue=1 / 3)).pixels[0, 0], (0, 255, 0), atol=6)


@pytest.mark.parametrize("text", ["a red car", "what colour is it?", "一只黑猫", "什么颜色"])
def test_colours_that_a_text_names_stay(text: str) -> None:
    assert names_colour(text)
    assert not names_colour("a dog on a road")
    kept = random_colour(np.random.default_rng(0), tones_only=True)
    assert (kept.saturation, kept.hue) == (1, 0)


TEXTS = {"question": "What is on the left of the big house?", "answer": "A small red car on the right."}


@given(st.integers(0, 200))
def test_pairs_stay_true_and_say_what_was_done(number: int) -> None:
    image = picture()
    made = PictureAugmentation().augment([image], TEXTS, chance(42, str(number)))
    again = PictureAugmentation().augment([image], TEXTS, chance(42, str(number)))
    np.testing.assert_array_equal(made.images[0].pixels, again.images[0].pixels)
    assert (made.texts, made.done) == (again.texts, again.done)
    assert "small red car" in made.texts["answer"]
    side = "left" if made.done.get("mirrored") else "right"
    assert made.texts["answer"] == TEXTS["answer"].replace("right", side)
    assert ("right of" in made.texts["question"]) == bool(made.done.get("mirrored"))
    assert made.done["colour"]["hue"] == 0
    assert TEXTS["question"] == "What is on the left of the big house?"


def test_each_change_can_be_left_out() -> None:
    image = picture()
    made = PictureAugmentation(flip=0, crop=1, colour=0, synonyms=0).augment([image], TEXTS, chance(42, "a"))
    assert made.images == (image,)
    assert (made.texts, made.done) == (TEXTS, {})
    sound = tone()
    still = SpeechAugmentation(speed=0, semitones=0, snr_db=None, room_seconds=0).augment(sound, chance(42, "a"))
    assert (still.audio, still.time_scale, still.done) == (sound, 1.0, {})


def test_half_the_pictures_are_mirrored_but_none_with_writing() -> None:
    image, made = picture(), PictureAugmentation(crop=1, colour=0)
    flips = [made.augment([image], {"text": "A dog."}, chance(1, str(number))).done for number in range(400)]
    assert sum("mirrored" in done for done in flips) == pytest.approx(200, abs=40)
    signs = [made.augment([image], {"text": "A stop sign."}, chance(1, str(number))).done for number in range(40)]
    assert not any("mirrored" in done for done in signs)


@pytest.mark.parametrize("factor", [0.9, 1.1, 1.5])
def test_speed_changes_length_and_pitch_together(factor: float) -> None:
    fast = change_speed(tone(), factor)
    assert fast.seconds == pytest.approx(1 / factor, abs=0.001)
    assert pitch(fast) == pytest.approx(440 * factor, abs=2)


@pytest.mark.parametrize("semitones", [-2, -0.5, 3])
def test_pitch_changes_and_length_stays(semitones: float) -> None:
    high = change_pitch(tone(2), semitones)
    assert len(high.samples) == 2 * RATE
    assert pitch(high) == pytest.approx(440 * 2 ** (semitones / 12), abs=4)


def test_pitch_leaves_times_where_they_are() -> None:
    silence = np.zeros(RATE, np.float32)
    samples = np.concatenate([silence, tone(1).samples, silence])
    for semitones in (-2, 2):
        loud = np.flatnonzero(np.abs(change_pitch(Audio(samples.copy(), RATE), semitones).samples) > 0.1) / RATE
        assert loud[0] == pytest.approx(1, abs=0.03)
        assert loud[-1] == pytest.approx(2, abs=0.03)


@given(snr=st.floats(-5, 40), seed=st.integers(0, 99), recorded=st.booleans())
def test_noise_stands_as_far_below_as_was_asked(snr: float, seed: int, recorded: bool) -> None:
    clean = tone(level=0.02)
    noise = Audio(np.random.default_rng(1).uniform(-1, 1, 5_000).astype(np.float32), 8_000) if recorded else None
    mixed = mix_noise(clean, noise, snr, np.random.default_rng(seed))
    difference = mixed.samples - clean.samples
    assert 10 * np.log10(np.mean(clean.samples**2) / np.mean(difference**2)) == pytest.approx(snr, abs=0.5)
    assert len(mixed.samples) == len(clean.samples)


def test_a_room_reverberates_without_moving_the_sound(data: Path) -> None:
    click = np.zeros(RATE, np.float32)
    click[4_000] = 0.5
    rooms = [made_room(0.3, RATE, np.random.default_rng(0)), read_audio(data / "speech" / "rir1.wav", Limits())]
    for room in rooms:
        heard = place_in(Audio(click.copy(), RATE), room).samples
        assert len(heard) == RATE
        assert int(np.abs(heard).argmax()) == 4_000
        assert np.abs(heard[:3_990]).max() < 1e-3
        assert np.abs(heard[4_100:8_000]).max() > 1e-3


def test_a_made_room_decays_by_sixty_decibels_in_its_time() -> None:
    tail = made_room(0.5, RATE, np.random.default_rng(0)).samples[1:]
    level = [10 * np.log10(np.mean(part**2)) for part in (tail[:400], tail[-400:])]
    assert level[0] - level[1] == pytest.approx(57, abs=3)


@given(st.integers(0, 60))
def test_speech_is_deterministic_unclipped_and_tells_its_times(number: int) -> None:
    sound = tone(0.5, level=0.99)
    made = SpeechAugmentation().augment(sound, chance(42, str(number)))
    again = SpeechAugmentation().augment(sound, chance(42, str(number)))
    np.testing.assert_array_equal(made.audio.samples, again.audio.samples)
    assert made.done == again.done
    assert np.abs(made.audio.samples).max() <= 1
    assert made.audio.seconds == pytest.approx(0.5 * made.time_scale, abs=0.001)
    assert made.done.keys() == {"speed", "semitones", "room", "noise"}
    assert 10 <= made.done["noise"]["snr_db"] <= 30


def test_recorded_noises_and_rooms_are_chosen_from() -> None:
    noises = [tone(hertz=hertz) for hertz in (100, 3_000)]
    rooms = [made_room(0.2, RATE, np.random.default_rng(seed)) for seed in (0, 1)]
    augmentation = SpeechAugmentation(noises=noises, rooms=rooms)
    made = [augmentation.augment(tone(0.2), chance(1, str(number))).done for number in range(20)]
    assert {done["noise"]["number"] for done in made} == {done["room"]["number"] for done in made} == {0, 1}


def test_a_silent_and_an_empty_recording_are_no_fault() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(0, np.float32)):
        made = SpeechAugmentation().augment(Audio(samples, RATE), chance(1, "a"))
        assert np.isfinite(made.audio.samples).all()
