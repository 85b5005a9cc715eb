"""Data that works offline: one file for each kind, one function for each set."""
