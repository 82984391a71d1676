"""The ops, one file for each kind. Each op is defined in one place: forward, rules, metadata."""
