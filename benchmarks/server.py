"""Does the server stay alive while it works? Prints one table, in Markdown.

Sixteen people ask about the same phone screen at once while /health is polled, first of Kuamo, then of a server written
the common way, an `async def` handler that runs the same engine inside the event loop. Each is a process of its own.

    python benchmarks/server.py
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from fastapi import FastAPI, File, Form

from kuamo.api.app import create_app
from kuamo.api.server import serve
from kuamo.capabilities.answer import answer
from kuamo.catalogue import Catalogue
from kuamo.contracts import ChatRequest, Message
from kuamo.media.image import read_image
from kuamo.runtime import Models
from kuamo.settings import Settings

ASKERS = 16
POLL_SECONDS = 0.05  # as the table says
QUESTION, ANSWER = "What is the system version?", "17.4.1"
ROWS = {
    "Device name": "Ann's phone", "Model": "iPhone 15 Pro", "System version": ANSWER, "Serial number": "F2LXK9Q0P7",
    "Storage": "256 GB", "Available": "87.31 GB", "Carrier": "China Mobile", "Songs": "128",
}  # fmt: skip
SERVERS = {"kuamo": "Kuamo", "common": "the engine inside the event loop"}


def common_app(settings: Settings, models: Models) -> FastAPI:
    """Return a server whose handlers are all coroutines, the engine's included."""
    app = FastAPI()

    @app.post("/qa")
    async def qa(image: Annotated[bytes, File()], question: Annotated[str, Form()]) -> dict[str, str]:
        message = Message("user", question, (read_image(image, settings.limits),))
        return {"answer": answer(ChatRequest(messages=(message,)), models).result().text}

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def run_server(kind: str) -> None:
    """Serve until interrupted, telling the address on standard output."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(folder=Path(folder), port=0)
        models = Models(Catalogue.load(), settings)
        app = create_app(settings, models) if kind == "kuamo" else common_app(settings, models)
        serve(app, settings, lambda address: print(address, flush=True))


@contextmanager
def server(kind: str) -> Iterator[str]:
    """Run a server in its own process; yield its address."""
    process = subprocess.Popen([sys.executable, __file__, kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def phone_screen() -> bytes:
    """Return a page of phone settings, 1080 pixels wide, as PNG."""
    picture = PIL.Image.new("RGB", (1080, 1920), "#f2f2f7")
    draw, font = PIL.ImageDraw.Draw(picture), PIL.ImageFont.load_default(48)
    for number, (label, value) in enumerate(ROWS.items()):
        top = 200 + 160 * number
        draw.rounded_rectangle((40, top, 1040, top + 140), 24, "white")
        draw.text((80, top + 40), label, "black", font)
        draw.text((1000, top + 40), value, "#6d6d72", font, anchor="ra")
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


async def ask(client: httpx.AsyncClient, picture: bytes) -> None:
    """Ask once; fail unless the answer is right."""
    reply = await client.post("/qa", data={"question": QUESTION}, files={"image": picture})
    assert ANSWER in reply.raise_for_status().json()["answer"], reply.text


async def poll(client: httpx.AsyncClient, seconds: list[float]) -> None:
    """Ask for /health at fixed times, whether or not the last was answered, and note how long each took."""

    async def one() -> None:
        began = time.perf_counter()
        (await client.get("/health")).raise_for_status()
        seconds.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as polls:
        try:
            while True:
                polls.create_task(one())
                await asyncio.sleep(POLL_SECONDS)
        except asyncio.CancelledError:
            pass  # those under way are waited for


async def measure(address: str, picture: bytes) -> tuple[list[float], float]:
    """Return the seconds of each /health, and of all answers together; the models are loaded before."""
    seconds: list[float] = []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits) as client:
        await ask(client, picture)
        polling = asyncio.create_task(poll(client, seconds))
        began = time.perf_counter()
        await asyncio.gather(*(ask(client, picture) for _ in range(ASKERS)))
        total = time.perf_counter() - began
        polling.cancel()
        await polling
    return seconds, total


def main() -> None:
    """Measure both servers and print the table."""
    picture = phone_screen()
    print(f"{ASKERS} questions at once about a phone screen, {os.cpu_count()} cores, /health every 50 ms.\n")
    print(f"| server | /health p50, ms | p95, ms | max, ms | polls | {ASKERS} answers, s |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind, name in SERVERS.items():
        with server(kind) as address:
            seconds, total = asyncio.run(measure(address, picture))
        p50, p95, most = np.percentile(seconds, (50, 95, 100)) * 1000
        print(f"| {name} | {p50:.1f} | {p95:.1f} | {most:.0f} | {len(seconds)} | {total:.1f} |", flush=True)


if __name__ == "__main__":
    run_server(sys.argv[1]) if sys.argv[1:] else main()
