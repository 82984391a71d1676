"""Models in the formats of other runtimes."""

from .sizes import ExportError as ExportError
from .to_onnx import onnx as onnx
