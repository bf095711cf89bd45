"""The tables of papers, made anew: sets, runs and scores by one command that goes on where it stopped."""
