"""Rigged characters as drawings of lines, with labels: characters, motions, cameras, engines."""
