"""One module for each paper: `Config`, `Model`, `Training`."""
