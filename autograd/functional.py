"""Jacobians, Hessians and their products, under the names of torch.autograd.functional."""

from .transforms.products import hessian as hessian
from .transforms.products import hvp as hvp
from .transforms.products import jacobian as jacobian
from .transforms.products import jvp as jvp
from .transforms.products import vhp as vhp
from .transforms.products import vjp as vjp
