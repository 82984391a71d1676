"""NumPy's functions on tensors and Scalars: the protocols by which NumPy asks whose work it is.

`ufuncs.py` and `functions.py` hold one table each, from a function of NumPy to ours. What is in a
table runs, and is recorded, as a call of our function would be; what is in none raises.
"""
