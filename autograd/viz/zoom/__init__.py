"""One element of a tensor as the graph of single numbers behind it."""
