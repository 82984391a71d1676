"""Data that are generated: the same numbers for the same generator, on every machine."""
