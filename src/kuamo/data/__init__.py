"""Data sets: rows from sources, checked, split and written. One way: row, sources, checks, split, outputs."""
