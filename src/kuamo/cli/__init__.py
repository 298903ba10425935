"""The command line: words to contracts and back. One small file for each command; heavy imports inside them."""

from kuamo.cli.app import main

__all__ = ["main"]
