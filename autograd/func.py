"""Transforms of functions under the names of torch.func."""

from .transforms.batching import vmap as vmap
from .transforms.forward import jvp as jvp
from .transforms.forward import linearize as linearize
from .transforms.jacobians import hessian as hessian
from .transforms.jacobians import jacfwd as jacfwd
from .transforms.jacobians import jacrev as jacrev
from .transforms.modules import functional_call as functional_call
from .transforms.modules import stack_module_state as stack_module_state
from .transforms.reverse import grad as grad
from .transforms.reverse import grad_and_value as grad_and_value
from .transforms.reverse import value_and_grad as value_and_grad
from .transforms.reverse import vjp as vjp
