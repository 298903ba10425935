"""Engines that make pictures sharper: one file each."""
