"""Engines that take pictures and questions to text: one file each."""
