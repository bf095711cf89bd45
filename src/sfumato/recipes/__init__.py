"""One file for each method; each function is a named run."""
