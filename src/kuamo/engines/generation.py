"""Text from a Transformers model, token by token: seeded on its own, stopped within a token, never past its window."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kuamo.contracts import ChatRequest, Ending, Sampling
from kuamo.errors import KuamoError


def encode(templater: Any, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> Any:
    """Return the tensors for a conversation, up to where the assistant speaks, by the checkpoint's own chat template.

    `templater` is a processor or a tokenizer; `tools` are for templates that list them. Raises KuamoError
    conversation_refused where the template allows no such turns.
    """
    from jinja2.exceptions import TemplateError

    try:
        return templater.apply_chat_template(
            messages,
            tools=tools or None,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
    except TemplateError as error:
        raise KuamoError("conversation_refused", reason=str(error).rstrip(".")) from error


def plain(text: str, tokenizer: Any) -> str:
    """Return text in which the model reads no special token (`<image>`, an end of turn): `<image>` to `< image>`."""
    for token in tokenizer.added_tokens_decoder.values():
        if token.special and len(token.content) > 1:
            text = text.replace(token.content, token.content[0] + " " + token.content[1:])
    return text


def stream(model: Any, tokenizer: Any, inputs: Any, request: ChatRequest) -> Generator[str, None, Ending]:
    """Generate from `inputs` (input_ids of shape (1, n) and what goes with them) and yield the new text as it comes.

    Closing the iterator, or a stop sequence, stops the model within one token. Raises KuamoError conversation_too_long,
    and what the model raises.
    """
    from transformers import TextIteratorStreamer

    sampling, prompt_tokens = request.sampling, inputs["input_ids"].shape[1]
    most = min(sampling.max_new_tokens, _room(model, prompt_tokens))
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    closed = threading.Event()
    arguments = {
        **inputs,
        "max_new_tokens": most,
        "generation_config": _greedy(model),
        "logits_processor": _draw_from(sampling),
        "stopping_criteria": _stop_when(closed),
        "streamer": streamer,
    }
    with ThreadPoolExecutor(1, "generate") as pool:
        future = pool.submit(model.generate, **arguments)
        future.add_done_callback(lambda _: streamer.end())
        try:
            yield from filter(None, before_stop(streamer, sampling.stop, closed.set))
            stopped = closed.is_set()
        finally:
            closed.set()
        new = future.result()[0, prompt_tokens:].tolist()
    ended = stopped or len(new) < most or new[-1] in _ends(model)
    return Ending(prompt_tokens, len(new), "stop" if ended else "length")


def before_stop(pieces: Iterable[str], stop: tuple[str, ...], halt: Callable[[], None]) -> Iterator[str]:
    """Yield the text up to the first stop sequence, call `halt` there, and let the rest of the pieces run out.

    What may be the beginning of a sequence is held back until it is known.
    """
    held, found = "", False
    for piece in pieces:
        if found:
            continue
        held += piece
        places = [place for sequence in stop if (place := held.find(sequence)) >= 0]
        if found := bool(places):
            yield held[: min(places)]
            halt()
            continue
        safe = len(held) - max((overlap(held, sequence) for sequence in stop), default=0)
        yield held[:safe]
        held = held[safe:]
    if not found:
        yield held


def overlap(text: str, sequence: str) -> int:
    """Return how many characters at the end of a text are the beginning of a sequence."""
    lengths = range(min(len(sequence) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(sequence[:length])), 0)


def _ends(model: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    return ends if isinstance(ends, list) else [ends]


def _room(model: Any, used: int) -> int:
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if window is not None and used >= window:
        raise KuamoError("conversation_too_long", tokens=used, window=window)
    return window - used if window else 32_768


def _greedy(model: Any) -> Any:
    """Return the checkpoint's generation settings without its own sampling: `_draw_from` does that."""
    from copy import deepcopy

    config = deepcopy(model.generation_config)
    config.update(do_sample=False, temperature=None, top_p=None, top_k=None, num_beams=1)
    config.update(max_length=None)
    return config


def _draw_from(sampling: Sampling) -> Any:
    """Return processors after which the largest score is a draw from the distribution.

    Gumbel noise of the request's own generator is added to the scores (Gumbel-max; Maddison et al., "A* Sampling",
    2014), so that a seed says the same text again whoever else is served meanwhile, on any device.
    """
    import torch
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    if sampling.temperature == 0:
        return LogitsProcessorList()
    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)

    def add_noise(_: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise = -torch.empty(scores.shape).exponential_(generator=generator).log()
        return scores.float() + noise.to(scores.device)

    return LogitsProcessorList(
        [TemperatureLogitsWarper(sampling.temperature), TopPLogitsWarper(sampling.top_p), add_noise]
    )


def _stop_when(closed: threading.Event) -> Any:
    import torch
    from transformers import StoppingCriteriaList

    def is_closed(tokens: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        return torch.full((tokens.shape[0],), closed.is_set(), device=tokens.device)

    return StoppingCriteriaList([is_closed])
