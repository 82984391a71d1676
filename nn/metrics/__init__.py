"""Measures of how good predictions are: of classes, rankings, boxes and distributions.

Plain functions of Tensors, arrays or lists, that give floats and NumPy arrays; predictions come
first, as they do in losses. Nothing is recorded: none of them has a gradient.
"""

from .classification import accuracy as accuracy
from .classification import confusion_matrix as confusion_matrix
from .classification import f1_score as f1_score
from .classification import precision as precision
from .classification import recall as recall
from .classification import top_k_accuracy as top_k_accuracy
from .detection import batched_nms as batched_nms
from .detection import box_area as box_area
from .detection import box_convert as box_convert
from .detection import box_iou as box_iou
from .detection import generalized_box_iou as generalized_box_iou
from .detection import nms as nms
from .detection_matches import detection_curve as detection_curve
from .detection_matches import match_detections as match_detections
from .detection_precision import MeanAveragePrecision as MeanAveragePrecision
from .detection_precision import mean_average_precision as mean_average_precision
from .divergence import js_divergence as js_divergence
from .divergence import kl_divergence as kl_divergence
from .divergence import perplexity as perplexity
from .divergence import wasserstein_distance as wasserstein_distance
from .divergence import wasserstein_histogram as wasserstein_histogram
from .ranking import PrecisionRecallCurve as PrecisionRecallCurve
from .ranking import ROCCurve as ROCCurve
from .ranking import average_precision as average_precision
from .ranking import precision_recall_curve as precision_recall_curve
from .ranking import roc_auc as roc_auc
from .ranking import roc_curve as roc_curve
from .running import ConfusionMatrix as ConfusionMatrix
from .running import DetectionPrecision as DetectionPrecision
from .running import Mean as Mean
