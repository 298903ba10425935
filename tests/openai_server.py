"""A server of the OpenAI wire that computes its answers from what it is sent, keeps it, and fails when told to."""

import asyncio
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import PIL.Image
import soundfile
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.datastructures import UploadFile

from serving import served

RATE_HZ = 24_000
PIECE_SAMPLES = 6_000
STATUSES = {"401": 401, "403": 403, "404": 404, "413": 413, "429": 429, "500": 500, "503": 503}


@dataclass
class OpenAiServer:
    """What it was asked (`bodies`, `headers`), how it is to fail (`fault`), what it refuses, and what went out."""

    url: str = ""
    fault: str = ""
    refused: set[str] = field(default_factory=set)
    names_refused: bool = True
    square: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    pieces_sent: int = 0
    gone: bool = False
    endless: bool = False
    waits: bool = False

    def note(self, request: Request, body: dict[str, Any]) -> Response | None:
        """Keep a request; return the failure that is wanted, if any."""
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        if status := STATUSES.get(self.fault):
            headers = {"retry-after-ms": "1"}
            return JSONResponse({"error": {"message": f"fault\n{status}", "code": None}}, status, headers=headers)
        if self.fault == "html":
            return Response("<html>a proxy's page</html>", media_type="text/html")
        if self.fault == "no json":
            return Response("{", media_type="application/json")
        if self.fault == "other json":
            return JSONResponse({"hello": ["world"]})
        for name in sorted(self.refused & {key.removesuffix("[]") for key in body}):
            named = {"param": name, "code": "unsupported_parameter"} if self.names_refused else {}
            return JSONResponse({"error": {"message": "not taken", **named}}, 400)
        return None


@contextmanager
def openai_server() -> Iterator[OpenAiServer]:
    """Run the server; its `url` ends in /v1."""
    state = OpenAiServer()
    app = FastAPI()
    _texts(app, state)
    _pictures(app, state)
    _sounds(app, state)
    with served(app) as address:
        state.url = f"{address}/v1"
        yield state


def _texts(app: FastAPI, state: OpenAiServer) -> None:
    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.json()
        if state.fault == "slow":
            await asyncio.sleep(5)
        return state.note(request, body) or StreamingResponse(_turn(state, body), media_type="text/event-stream")

    @app.post("/v1/embeddings")
    async def embed(request: Request) -> Response:
        body = await request.json()
        vectors = [[len(text), text.count("a"), 1.0] for text in body["input"]]
        if state.fault == "ragged":
            vectors[0] = vectors[0][:1]
        if state.fault == "zero":
            vectors[0] = [0.0, 0.0, 0.0]
        if state.fault == "too few":
            vectors = vectors[1:]
        rows = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(vectors)]
        return state.note(request, body) or JSONResponse({"data": rows[::-1], "model": body["model"]})


async def _turn(state: OpenAiServer, body: dict[str, Any]) -> AsyncIterator[str]:
    """Tell the sizes of the pictures, then the last text, word by word."""
    content = body["messages"][-1]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    words = [_size(part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
    words += [word for part in parts if part["type"] == "text" for word in part["text"].split()]
    try:
        while True:
            for word in words:
                state.pieces_sent += 1
                yield _event({"choices": [{"index": 0, "delta": {"content": word + " "}}]})
                await asyncio.sleep(0.001)
                if state.fault == "cut":
                    raise ConnectionError
                if state.fault == "told":
                    yield _event({"error": {"message": "out of memory"}})
                if state.fault == "odd":
                    yield _event({"choices": "none"})
            if not state.endless:
                break
        yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
        counted = {"prompt_tokens": len(words), "completion_tokens": 7, "total_tokens": len(words) + 7}
        yield _event({"choices": [], "usage": counted if body.get("stream_options") else {"total_tokens": 1}})
        yield "data: [DONE]\n\n"
    finally:
        state.gone = True


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _size(url: str) -> str:
    head, _, data = url.partition(";base64,")
    picture = PIL.Image.open(BytesIO(b64decode(data)))
    assert head == f"data:image/{(picture.format or '').lower()}"
    return f"{picture.format}:{picture.width}x{picture.height}"


def _pictures(app: FastAPI, state: OpenAiServer) -> None:
    @app.post("/v1/images/generations")
    async def draw(request: Request) -> Response:
        """Draw a plain colour: red by the prompt's length, green by the seed."""
        body = await request.json()
        if failure := state.note(request, body):
            return failure
        width, height = map(int, body.get("size", "128x128").split("x"))
        width, height = (state.square or width), (state.square or height)
        buffer = BytesIO()
        PIL.Image.new("RGB", (width, height), (len(body["prompt"]), body.get("seed", 0), 0)).save(buffer, "PNG")
        data = b64encode(buffer.getvalue()).decode()
        answers = {
            "address": {"url": f"{state.url}/secret.png"},
            "data url": {"url": f"data:image/png;base64,{data}"},
            "no picture": {"b64_json": b64encode(b"text").decode()},
            "no base64": {"b64_json": "%%%"},
        }
        return JSONResponse({"created": 0, "data": [answers.get(state.fault, {"b64_json": data})]})

    @app.get("/v1/secret.png")
    async def secret(request: Request) -> Response:
        state.note(request, {"fetched": True})
        return Response(b"")


def _sounds(app: FastAPI, state: OpenAiServer) -> None:
    @app.post("/v1/audio/transcriptions")
    async def transcribe(request: Request) -> Response:
        """Write down one word for each whole second of sound, two words a segment."""
        form = await request.form()
        body: dict[str, Any] = {name: form.getlist(name) for name in form if name != "file"}
        file = form["file"]
        assert isinstance(file, UploadFile)
        samples, rate = soundfile.read(BytesIO(await file.read()))
        body["rate"], body["name"] = rate, file.filename
        if failure := state.note(request, body):
            return failure
        words = [{"word": f"w{n}", "start": n, "end": n + 0.5} for n in range(round(len(samples) / rate))]
        text = " ".join(str(word["word"]) for word in words)
        if body.get("response_format") != ["verbose_json"]:
            return JSONResponse({"text": text})
        pairs = [words[n : n + 2] for n in range(0, len(words), 2)]
        segments = [
            {"text": f" {pair[0]['word']}…", "start": pair[0]["start"], "end": pair[-1]["end"]} for pair in pairs
        ]
        return JSONResponse({"text": text, "language": "english", "segments": segments, "words": words})

    @app.post("/v1/audio/speech")
    async def speak(request: Request) -> Response:
        body = await request.json()
        return state.note(request, body) or StreamingResponse(_wav(state, body), media_type="audio/wav")


async def _wav(state: OpenAiServer, body: dict[str, Any]) -> AsyncIterator[bytes]:
    """A tone, a quarter of a second for each character, in a wav whose header cannot know its length."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        2**32 - 1,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        RATE_HZ,
        RATE_HZ * 2,
        2,
        16,
        b"data",
        2**32 - 1,
    )
    yield b"not a sound" * 100 if state.fault == "no sound" else head
    tone = np.sin(np.arange(PIECE_SAMPLES) / 10) * 8_000
    try:
        for number, _ in enumerate(body["input"]):
            while state.waits and number == len(body["input"]) // 2:
                await asyncio.sleep(0.005)
            state.pieces_sent += 1
            yield tone.astype("<i2").tobytes()
            await asyncio.sleep(0.002)
            if state.fault == "cut":
                raise ConnectionError
    finally:
        state.gone = True
