"""Seeing a graph: pictures, films, explanations and checks of what was recorded.

=========== ====================================================================================
`graph`     the computational graph as a picture: SVG, a page, PNG, text, Mermaid, DOT, JSON
`film`      a page that plays the forward and the backward pass, with the arithmetic of each step
`zoom`      one element of a result, as the graph of single numbers that it was computed from
`derive`    the chain rule of a small graph written out, as text and LaTeX
`why`       why a gradient is None, zero, NaN, huge or tiny, with the line and the mend
`verify`    every node's rule against finite differences
`profile`   time and memory by op, line and module; what checkpoints would save
`record`    source lines, names, modules and values of what runs inside a block
=========== ====================================================================================

Everything here reads the graph of `autograd.graph`; nothing below knows that it exists.
"""

from .derive.derive import Derivation as Derivation
from .derive.derive import derive as derive
from .film.film import Film as Film
from .film.film import film as film
from .formulas.formulas import Formula as Formula
from .formulas.formulas import formula as formula
from .graph import Graph as Graph
from .graph import graph as graph
from .model import Cluster as Cluster
from .model import Diagram as Diagram
from .model import Edge as Edge
from .model import Mark as Mark
from .model import Source as Source
from .model import Vertex as Vertex
from .profile.profile import Profile as Profile
from .profile.profile import profile as profile
from .record import Event as Event
from .record import Note as Note
from .record import Recording as Recording
from .record import note_of as note_of
from .record import record as record
from .verify.verify import Verification as Verification
from .verify.verify import verify as verify
from .why.answer import Answer as Answer
from .why.answer import Cause as Cause
from .why.why import why as why
from .zoom.zoom import Zoom as Zoom
from .zoom.zoom import zoom as zoom
