"""Formulas of ops as expressions: text, LaTeX, JavaScript, numbers."""
