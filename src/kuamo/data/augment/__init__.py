"""More examples out of those there are: seeded, the same for a row every time, and each saying what was done to it."""
