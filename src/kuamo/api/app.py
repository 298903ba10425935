"""The HTTP application: its routes, limits and manners."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from kuamo import __version__
from kuamo.api import align, answer, chat, draw, embed, health, responses, speak, stable_diffusion, transcribe, uploads
from kuamo.api import models as listing
from kuamo.api.body import BodyLimit
from kuamo.api.failures import HANDLERS
from kuamo.api.headers import Headers
from kuamo.runtime import Models
from kuamo.settings import Settings


def create_app(settings: Settings, models: Models) -> FastAPI:
    """Return the application: OpenAI's protocol under /v1, the web UI's under /sdapi, /qa, /health, /uploads, /docs.

    Engines run in FastAPI's thread pool, where it calls functions that are not `async`; never in the event loop.
    """
    folder = uploads.Uploads(settings.folder.expanduser() / "uploads", settings.upload_seconds)

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(uploads.sweep_regularly(folder))
        yield
        task.cancel()

    app = FastAPIOffline(
        title="Kuamo",
        version=__version__,
        redoc_url=None,
        static_url="/docs-files",
        lifespan=sweeping,
        exception_handlers=HANDLERS,
    )
    app.add_middleware(BodyLimit, megabytes=settings.limits.megabytes)
    app.add_middleware(Headers)
    app.include_router(answer.router(models, folder))
    app.include_router(listing.router(models))
    app.include_router(chat.router(models, folder))
    app.include_router(responses.router(models, folder))
    app.include_router(embed.router(models, folder))
    app.include_router(transcribe.router(models))
    app.include_router(speak.router(models))
    app.include_router(align.router(models))
    app.include_router(draw.router(models, folder))
    app.include_router(stable_diffusion.router(models))
    app.include_router(health.router(models))
    app.include_router(uploads.router(folder))
    return app
