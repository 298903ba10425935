"""Bytes to frozen pictures, sounds, videos and texts, and back: the only place that decodes a file."""
