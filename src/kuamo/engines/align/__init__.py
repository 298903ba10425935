"""Engines that take a text and its recording to times: one file each."""
