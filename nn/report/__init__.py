"""What training and its results look like: text, and pictures by matplotlib."""

from .attention import save_attention as save_attention
from .confusion import confusion_text as confusion_text
from .confusion import save_confusion as save_confusion
from .curves import draw_history as draw_history
from .curves import save_curves as save_curves
from .detection import draw_detections as draw_detections
from .detection import save_detections as save_detections
from .images import save_image_rows as save_image_rows
from .plane import save_plane as save_plane
from .regression import save_lines as save_lines
from .regression import save_predictions as save_predictions
