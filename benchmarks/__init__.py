"""Measurements one can believe: right before fast, in turn, with intervals. Never installed."""

from .subjects import kernel as kernel
