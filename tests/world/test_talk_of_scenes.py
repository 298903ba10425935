"""Conversations about a scene are the same in every process."""

import os
import subprocess
import sys

TELL = """
from random import Random
from kuamo.world.conversation import conversation
from kuamo.world.scene import make_scene
for index in range(60):
    print([asked.question for asked in conversation(make_scene(index), "en", Random(index), 6)])
"""


def told(seed: str) -> str:
    """Return conversations as a process tells them whose strings hash by that seed."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", TELL]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_seed_gives_the_same_conversation_in_every_process() -> None:
    assert told("1") == told("2")
