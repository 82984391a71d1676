"""Smaller diagrams: modules, equal blocks and long stretches as one vertex each."""
