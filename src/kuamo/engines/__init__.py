"""Engines: one file each, known to the rest by the catalogue's strings only."""
