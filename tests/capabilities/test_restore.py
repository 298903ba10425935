"""A result too large is refused before any work; what is done is told part by part, and stops when nobody listens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kuamo.capabilities.restore import restore, restoring
from kuamo.catalogue import Catalogue
from kuamo.contracts import RestoreRequest, RestoreStep
from kuamo.errors import KuamoError
from kuamo.media.image import Image
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings


@pytest.fixture
def models(checkpoint: Callable[[str], Path]) -> Iterator[Models]:
    chosen = {"restore": str(checkpoint("swin2sr"))}
    made = Models(Catalogue.load(), Settings(models=chosen, device="cpu", limits=Limits(megapixels=0.16)))
    yield made
    made.close()


def grey(width: int, height: int) -> Image:
    return Image(np.full((height, width, 3), 127, np.uint8))


@pytest.mark.parametrize(("scale", "fits"), [(2, 200), (4, 100)])
def test_the_pixels_of_the_result_are_limited_before_a_model_is_loaded(models: Models, scale: int, fits: int) -> None:
    with pytest.raises(KuamoError) as caught:
        restore(RestoreRequest(image=grey(fits, fits + 1), scale=scale), models)
    assert caught.value.code == "result_too_large"
    assert f"{fits * scale}×{(fits + 1) * scale} px" in caught.value.message("en")
    assert models.loaded() == ()
    assert restore(RestoreRequest(image=grey(fits, fits), scale=scale), models).image.width == fits * scale


def test_each_part_is_told_and_the_trace_says_what_did_it(models: Models) -> None:
    stream = restoring(RestoreRequest(image=grey(140, 20), scale=2), models)
    assert list(stream) == [RestoreStep(1, 2), RestoreStep(2, 2)]
    restoration = stream.result()
    assert (restoration.image.width, restoration.image.height) == (280, 40)
    assert [trace.capability for trace in restoration.traces] == ["restore"]


def test_closed_early_it_lets_the_model_go(models: Models) -> None:
    stream = restoring(RestoreRequest(image=grey(140, 20), scale=2), models)
    next(stream)
    stream.close()
    assert list(stream) == []
    assert restore(RestoreRequest(image=grey(8, 8), scale=2), models).image.width == 16
