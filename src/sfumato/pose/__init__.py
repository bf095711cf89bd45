"""Poses of drawn figures: found in pictures, drawn over them, and measured against labels."""

from .estimator import FoundPose, PoseEstimator
from .evaluation import PoseReport, evaluate_pose

__all__ = ["FoundPose", "PoseEstimator", "PoseReport", "evaluate_pose"]
