"""The figures that each notebook of the course must print, and reach."""

GOALS: dict[str, dict[str, str]] = {}
