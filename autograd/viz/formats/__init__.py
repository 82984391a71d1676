"""Diagrams as text: for the terminal, Mermaid, DOT, JSON."""
