"""Whether the server lives."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from kuamo import __version__
from kuamo.runtime import Models


class Health(BaseModel):
    """A sign of life, and the models in memory."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    loaded: tuple[str, ...]


def router(models: Models) -> APIRouter:
    """Return the route GET /health."""
    routes = APIRouter(tags=["server"])

    @routes.get("/health", summary="Whether the server lives")
    async def health() -> Health:
        """Answer at once: no engine is touched and no thread waited for."""
        return Health(loaded=models.loaded())

    return routes
