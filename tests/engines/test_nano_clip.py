"""nano-clip, as shipped, finds scenes of the small world that its training did not hold, both ways."""

import numpy as np
import pytest

from kuamo.capabilities.embed import embed
from kuamo.catalogue import Catalogue
from kuamo.contracts import EmbedRequest
from kuamo.media.image import from_pil
from kuamo.messages import Language
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.language import caption
from kuamo.world.picture import render
from kuamo.world.scene import make_scene


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_caption_finds_its_picture_and_each_picture_its_caption(language: Language) -> None:
    models = Models(Catalogue.load(), Settings())
    scenes = [make_scene(index, "held_out") for index in range(1_900, 2_000)]
    texts = tuple(caption(scene, language) for scene in scenes)
    images = tuple(from_pil(render(scene)) for scene in scenes)
    captions = embed(EmbedRequest(texts=texts, model="nano-clip"), models).vectors
    pictures = embed(EmbedRequest(images=images, model="nano-clip"), models).vectors
    for nearest in ((captions @ pictures.T).argmax(1), (pictures @ captions.T).argmax(1)):
        assert (nearest == np.arange(100)).mean() >= 0.95
