"""Engines that take a conversation to its next turn: one file each."""
