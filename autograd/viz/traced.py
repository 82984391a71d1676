"""A traced graph as a Diagram: shapes and dtypes of what a function would do."""

from __future__ import annotations

import sys

from ..frames import user_frames
from ..graph import NUMBERS, Variable
from ..trace import Graph, Ref
from .capture import dtype_text, kind_of, owned
from .model import Diagram, Edge, Vertex
from .names import Names


def diagram_of_trace(graph: Graph) -> Diagram:
    """Make the diagram of what `autograd.trace` returned.

    The steps of a backward pass have order 1. Constants have values (parameters are constants of
    a trace), nothing else has.
    """
    names = Names()
    names.look_around(user_frames(sys._getframe(1)))
    diagram = Diagram()
    inputs = {step: number for number, step in enumerate(graph.inputs)}
    ends = [ref.index for ref in graph.outputs if isinstance(ref, Ref)]
    for step in graph.steps:
        vertex = Vertex(step.index, "intermediate")
        vertex.shape, vertex.dtype = step.spec.shape, dtype_text(step.spec.dtype)
        if step.op is not None:
            vertex.op = step.op.name
            vertex.params = dict(step.params)
            vertex.order = 1 if step.backward_of else 0
            if step.backward_of:
                vertex.about = f"part of the gradient of {step.backward_of}"
            if step.index in ends:
                vertex.kind = "output"
        elif step.index in inputs:
            vertex.kind = "constant"
            vertex.name = f"input{inputs[step.index] + 1 if len(inputs) > 1 else ''}"
        else:
            vertex.kind = kind_of(step.value, "constant")
            vertex.value = owned(step.value)
            node = step.value.node if isinstance(step.value, Variable) else None
            vertex.name = names.of_leaf(step.value, node, None)
        for slot, argument in enumerate(step.args):
            if isinstance(argument, Ref):
                assert step.op is not None
                name = step.op.inputs[0 if step.op.variadic else slot]
                suffix = f"[{slot}]" if step.op.variadic else ""
                diagram.edges.append(Edge(argument.index, step.index, slot, name + suffix))
            elif argument.__class__ in NUMBERS:
                vertex.scalars[slot] = argument
        diagram.vertices.append(vertex)
    diagram.outputs = ends
    return diagram
