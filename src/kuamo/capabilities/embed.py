"""Texts or pictures to unit vectors."""

from kuamo.contracts import Embedding, EmbedRequest
from kuamo.errors import KuamoError
from kuamo.runtime import Models


def embed(request: EmbedRequest, models: Models) -> Embedding:
    """Return one unit vector for each text or picture. Raises KuamoError text_empty where there is neither."""
    if not request.texts and not request.images:
        raise KuamoError("text_empty")
    with models.lease("embed", request) as lease:
        return Embedding(lease.engine.embed(request), (lease.trace(),))
