"""Pictures on disk to training samples: sample n is a function of (seed, n)."""
