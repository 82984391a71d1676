"""Layered layout of nested graphs: geometry only."""
