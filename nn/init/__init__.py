"""Initial values: functions that fill a tensor in place, outside the graph.

Random ones draw from `generator`, by default the one that `autograd.manual_seed` seeds.
"""

from .fans import GAINS as GAINS
from .fans import calculate_gain as calculate_gain
from .fans import fan_in_and_fan_out as fan_in_and_fan_out
from .fans import kaiming_normal_ as kaiming_normal_
from .fans import kaiming_uniform_ as kaiming_uniform_
from .fans import xavier_normal_ as xavier_normal_
from .fans import xavier_uniform_ as xavier_uniform_
from .fill import constant_ as constant_
from .fill import normal_ as normal_
from .fill import ones_ as ones_
from .fill import uniform_ as uniform_
from .fill import zeros_ as zeros_
from .patterns import dirac_ as dirac_
from .patterns import eye_ as eye_
from .patterns import orthogonal_ as orthogonal_
from .patterns import sparse_ as sparse_
from .truncated import trunc_normal_ as trunc_normal_
