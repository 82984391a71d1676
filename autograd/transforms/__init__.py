"""Functions of functions: gradients, Jacobians, batches, checkpoints, custom functions.

Each works on what the engine records, and none of it is known to the engine. `autograd.func` has
these under the names of torch.func, `autograd.functional` under those of torch.autograd.functional.
"""
