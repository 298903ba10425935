"""The models that can be asked for, as OpenAI's clients list them."""

import time
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from kuamo.api.failures import OPENAI_FAILURES
from kuamo.api.names import in_force
from kuamo.catalogue import Model
from kuamo.contracts import Capability, Request
from kuamo.errors import KuamoError
from kuamo.runtime import Models
from kuamo.store import is_here, is_url

OFFERED: tuple[Capability, ...] = ("answer", "chat", "draw", "transcribe", "speak", "align", "embed")


class Card(BaseModel):
    """A model: its name, what it does, the languages it serves (`*`: not limited) and its licence."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    capabilities: tuple[Capability, ...]
    languages: tuple[str, ...]
    licence: str


class Cards(BaseModel):
    """The models; first the capability words, each of which stands for the server's choice."""

    object: Literal["list"] = "list"
    data: tuple[Card, ...]


def router(models: Models) -> APIRouter:
    """Return the routes GET /v1/models and GET /v1/models/{name}."""
    routes = APIRouter(tags=["models"])
    began = int(time.time())

    def cards() -> tuple[Card, ...]:
        words = [_card(word, model, (word,), began) for word in OFFERED if (model := _chosen(word, models))]
        rows = [
            _card(row.name, row, row.capabilities, began) for row in models.catalogue.models if _usable(row, models)
        ]
        return (*words, *rows)

    @routes.get("/v1/models", summary="The models", responses={"4XX": OPENAI_FAILURES["4XX"]})
    def listed() -> Cards:
        """List what can stand in `model`: capability words, and the models of the profile and on this machine."""
        return Cards(data=cards())

    @routes.get("/v1/models/{name:path}", summary="One model", responses={"4XX": OPENAI_FAILURES["4XX"]})
    def one(name: str) -> Card:
        """Describe one of the models listed."""
        for card in cards():
            if card.id == name:
                return card
        raise KuamoError("no_such_model", name=name)

    return routes


def _chosen(word: Capability, models: Models) -> Model | None:
    try:
        return models.choose(word, Request())
    except KuamoError:  # told to whoever asks for it
        return None


def _usable(model: Model, models: Models) -> bool:
    if not set(OFFERED) & set(model.capabilities):
        return False
    return model.name in in_force(models) or (is_here(model) and not is_url(model.source))


def _card(name: str, model: Model, capabilities: tuple[Capability, ...], created: int) -> Card:
    return Card(
        id=name,
        created=created,
        owned_by="kuamo",
        capabilities=capabilities,
        languages=model.languages,
        licence=model.licence,
    )
