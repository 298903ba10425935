"""Measure the nano models of the package on held-out data, as Kuamo runs them.

make scores            print the table, write scores.json and the scores in each model's card
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import PIL.Image
from nano_chat import is_right, share_by_kind
from numpy.typing import NDArray
from recordings import edge_errors, errors
from tqdm import tqdm
from training import BEGIN, END

from kuamo.capabilities.align import align
from kuamo.capabilities.answer import answer
from kuamo.capabilities.chat import chat
from kuamo.capabilities.embed import embed
from kuamo.capabilities.familiar import is_familiar
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, EmbedRequest, Message, Sampling, TranscribeRequest, join_text
from kuamo.evaluation import evaluate_answers, normalised
from kuamo.media.image import from_pil, read_image
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.conversation import conversation
from kuamo.world.dialogue import Dialogue, examination
from kuamo.world.language import caption
from kuamo.world.phrases import LANGUAGES
from kuamo.world.picture import render
from kuamo.world.sample import write_sample
from kuamo.world.scene import Split, make_scene
from kuamo.world.speech import speech

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, DATA = ROOT / "src" / "kuamo" / "weights", ROOT.parent / "shared" / "data"
Scores = dict[str, float]
"""By name: shares, or milliseconds where the name ends so."""
MILLISECONDS = ", ms"


def llava_scores(models: Models, pictures: int = 100) -> Scores:
    """Return nano-llava's exact match: in all, by kind and language, on held-out combinations, and blind."""
    held_out = exact_match(models, "held_out", pictures)
    rest = {name: share for name, share in held_out.items() if name != "exact match"}
    return {
        "exact match": held_out["exact match"],
        "held-out combinations": exact_match(models, "combinations", pictures)["exact match"],
        "blind (grey pictures)": exact_match(models, "held_out", pictures, blind=True)["exact match"],
        "in conversation": in_conversation(models),
        **rest,
        **familiarity(models),
    }


def exact_match(models: Models, split: Split, pictures: int, blind: bool = False) -> Scores:
    """Return the exact match over the questions of a split's first pictures, all grey where `blind`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in write_sample(pictures, 0, folder, split=split):
            pass
        for file in folder.glob("0*.png") if blind else ():
            PIL.Image.new("RGB", (64, 64), (128, 128, 128)).save(file)
        stream = evaluate_answers(folder, models)
        for _ in tqdm(stream, desc=f"nano-llava, {split}{', blind' * blind}", total=12 * pictures, mininterval=5):
            pass
        scores = stream.result()
    return {"exact match": scores.exact_match, **scores.by_kind, **scores.by_language}


def in_conversation(models: Models, scenes: int = 60) -> float:
    """Return the share of right answers where each question comes after those before and the model's own answers."""
    right = []
    for index in tqdm(range(scenes), desc="nano-llava, conversations", mininterval=5):
        scene, language = make_scene(index, "held_out"), LANGUAGES[index % 2]
        turns: list[Message] = []
        for asked in conversation(scene, language, Random(index), 5):
            turns.append(Message("user", asked.question, () if turns else (from_pil(render(scene)),)))
            request = ChatRequest(messages=tuple(turns), sampling=Sampling(temperature=0), model="nano-llava")
            turns.append(Message("assistant", answer(request, models).result().text))
            right.append(normalised(turns[-1].text) == normalised(asked.answer))
    return float(np.mean(right))


def familiarity(models: Models, pictures: int = 500) -> Scores:
    """Return the share of the world's own pictures, and of the photographs and screenshots in DATA, told as strange."""
    row = models.catalogue.named("nano-llava", "answer")
    own = [is_familiar(from_pil(render(make_scene(index, "held_out"))), row) for index in range(pictures)]
    files = sorted((DATA / "images").glob("*.*"))
    scores = {"own pictures taken for strange": 1 - float(np.mean(own))}
    if files:
        known = [is_familiar(read_image(file, models.settings.limits), row) for file in files]
        scores["photographs and screenshots told as strange"] = 1 - float(np.mean(known))
    return scores


def clip_scores(models: Models, scenes: int = 1_000) -> Scores:
    """Return nano-clip's recall@1 among held-out scenes, both ways and in each language."""
    truths = [make_scene(index, "held_out") for index in range(scenes)]
    images = vectors(models, EmbedRequest(images=tuple(from_pil(render(scene)) for scene in truths), model="nano-clip"))
    scores, right = {}, np.arange(scenes)
    for language in LANGUAGES:
        texts = tuple(caption(scene, language) for scene in truths)
        nearest = images @ vectors(models, EmbedRequest(texts=texts, model="nano-clip")).T
        scores[f"text to image, {language}"] = float((nearest.argmax(0) == right).mean())
        scores[f"image to text, {language}"] = float((nearest.argmax(1) == right).mean())
    return scores


def chat_scores(models: Models) -> Scores:
    """Return nano-chat's share of right answers to the test questions, each asked three times: by kind and language."""
    talks = list(examination("test", 0, 3))
    said = (reply(talk, models) for talk in tqdm(talks, desc="nano-chat", mininterval=5))
    return share_by_kind((talk, is_right(text, talk)) for talk, text in zip(talks, said, strict=True))


def reply(talk: Dialogue, models: Models) -> str:
    """Return what nano-chat answers to the last question of a dialogue."""
    messages = tuple(Message(one["role"], one["content"]) for one in talk.messages()[:-1])
    request = ChatRequest(messages=messages, sampling=Sampling(temperature=0), model="nano-chat")
    return chat(request, models).result().text


def vectors(models: Models, request: EmbedRequest) -> NDArray[np.float32]:
    """Return the unit vectors of a request."""
    return embed(request, models).vectors


def whisper_scores(models: Models, utterances: int = 300) -> Scores:
    """Return nano-whisper's share of wrong words or characters, and of languages, for held-out sentences and voices."""
    wrong, mistaken = {language: np.zeros(2, int) for language in LANGUAGES}, []
    for spoken in tqdm(islice(speech("held_out"), utterances), "nano-whisper", utterances, mininterval=5):
        with models.lease("transcribe", TranscribeRequest(audio=spoken.audio, model="nano-whisper")) as lease:
            segments = list(lease.engine.transcribe(TranscribeRequest(audio=spoken.audio)))
        wrong[spoken.language] += errors(join_text(segment.text for segment in segments), spoken.text)
        mistaken.append(any(segment.language != spoken.language for segment in segments))
    shares = {language: float(edits / words) for language, (edits, words) in wrong.items()}
    return {
        "words wrong, en": shares["en"],
        "characters wrong, zh": shares["zh"],
        "language mistaken": float(np.mean(mistaken)),
    }


def ctc_scores(models: Models, utterances: int = 300) -> Scores:
    """Return how many ms nano-ctc, and PocketSphinx beside it, are off at the words' bounds, for held-out voices."""
    scores = {}
    for name, language in (("nano-ctc", "en"), ("nano-ctc", "zh"), ("pocketsphinx-align", "en")):
        chosen = (one for one in islice(speech("held_out"), utterances) if one.language == language)
        shown = tqdm(chosen, f"{name}, {language}", utterances // 2, mininterval=5)
        off = edge_errors(lambda request, name=name: align(replace(request, model=name), models).words, shown)
        for title, share in (("median", 0.5), ("95th percentile", 0.95)):
            scores[f"{name}, {language}, {title}{MILLISECONDS}"] = 1000 * float(np.quantile(off, share))
    return scores


MEASURES = {
    "nano-chat": chat_scores, "nano-clip": clip_scores, "nano-llava": llava_scores, "nano-whisper": whisper_scores,
    "nano-ctc": ctc_scores,
}  # fmt: skip


def measured() -> Iterator[tuple[str, Scores]]:
    """Yield the name and the scores of each model that is in the package."""
    models = Models(Catalogue.load(), Settings())
    for name, measure in MEASURES.items():
        if (WEIGHTS / name).is_dir():
            yield name, measure(models)


def table(scores: Scores) -> str:
    """Return scores as a Markdown table."""
    rows = [f"| {name} | {_shown(name, value)} |" for name, value in scores.items()]
    return "\n".join(["| held-out data | |", "|---|---|", *rows])


def _shown(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith(MILLISECONDS) else f"{value:.1%}"


def fill(card: Path, scores: Scores) -> None:
    """Put the scores between the marks of a model's card."""
    before, _, rest = card.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    card.write_text(f"{before}{BEGIN}\n{table(scores)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Measure every model."""
    everything = {}
    for name, scores in measured():
        print(f"\n{name}\n{table(scores)}")
        fill(WEIGHTS / name / "README.md", scores)
        everything[name] = {score: round(share, 4) for score, share in scores.items()}
    (ROOT / "scores.json").write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
