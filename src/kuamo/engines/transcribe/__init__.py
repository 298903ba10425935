"""Engines that take speech to text: one file each."""
