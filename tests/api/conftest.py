"""An application with made-up engines, and what it keeps."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import openai
import PIL.Image
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import made_up
from kuamo.api.app import create_app
from kuamo.catalogue import Catalogue
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path / "kept", limits=Limits(megabytes=2, megapixels=4))


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    models = Models(Catalogue.load(made_up.rows()), settings)
    yield create_app(settings, models)
    models.close()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def png() -> bytes:
    buffer = BytesIO()
    PIL.Image.new("RGB", (60, 40), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def kept(settings: Settings) -> Path:
    return settings.folder / "uploads"


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """OpenAI's client of a real server with the models in the box."""
    settings = Settings(folder=tmp_path_factory.mktemp("nano"))
    models = Models(Catalogue.load(made_up.rows(in_force=False)), settings)
    with served(create_app(settings, models)) as address:
        yield openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
    models.close()
