"""Engines that take a prompt to pictures: one file each."""
