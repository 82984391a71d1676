"""Seeing a graph: pictures, films, explanations and checks of what was recorded.

Everything here reads the graph of `autograd.graph`; nothing below knows that it exists.
"""

from .graph import Graph as Graph
from .graph import graph as graph
from .model import Cluster as Cluster
from .model import Diagram as Diagram
from .model import Edge as Edge
from .model import Mark as Mark
from .model import Source as Source
from .model import Vertex as Vertex
from .record import Event as Event
from .record import Note as Note
from .record import Recording as Recording
from .record import note_of as note_of
from .record import record as record
