"""Engines that take a recording to where there is speech: one file each."""
