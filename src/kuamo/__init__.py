"""Kuamo: multimodal AI that works from one install."""

__version__ = "0.1.0"
