"""How the course is run: the `lessons` command and what stands behind it."""
