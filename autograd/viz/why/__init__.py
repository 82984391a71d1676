"""Why a gradient is None, zero, NaN, huge or tiny."""
