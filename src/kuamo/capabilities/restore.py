"""A picture to a sharper one, or a larger one as sharp."""

from collections.abc import Generator

from kuamo.contracts import Restoration, RestoreRequest, RestoreStep
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.runtime import Models
from kuamo.stream import Stream


def restore(request: RestoreRequest, models: Models) -> Restoration:
    """Make a picture sharper, and as much larger as asked. Raises KuamoError result_too_large before any work."""
    return restoring(request, models).result()


def restoring(request: RestoreRequest, models: Models) -> Stream[RestoreStep, Restoration]:
    """Restore as `restore` does, telling of each part done; closed early, it stops after the part it is at."""
    _check_size(request, models.settings.limits)
    return Stream(_restore(request, models))


def _check_size(request: RestoreRequest, limits: Limits) -> None:
    width, height = request.image.width * request.scale, request.image.height * request.scale
    if width * height > limits.megapixels * 1e6:
        raise KuamoError("result_too_large", size=f"{width}×{height} px", limit=limits.megapixels)


def _restore(request: RestoreRequest, models: Models) -> Generator[RestoreStep, None, Restoration]:
    with models.lease("restore", request) as lease:
        image = yield from lease.engine.restore(request)
        return Restoration(image, (lease.trace(),))
