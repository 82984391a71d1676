"""A course in deep learning, as notebooks that are run by the tests."""
