"""The chain rule of a small graph, written out."""
