"""Engines that take a picture to the text in it: one file each."""
