"""The HTTP face: the wire to contracts and back, nothing else."""
