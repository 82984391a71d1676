"""Time and memory of what runs inside a block."""
