"""Engines that take texts or pictures to vectors: one file each."""
