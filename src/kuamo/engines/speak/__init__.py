"""Engines that take text to speech: one file each."""
