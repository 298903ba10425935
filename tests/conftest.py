"""What every test may use."""

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings and pictures beside the checkout."""
    if not DATA.is_dir():
        pytest.skip("the folder of real recordings and pictures is not here")
    return DATA
