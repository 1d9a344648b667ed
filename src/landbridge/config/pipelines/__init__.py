"""Pipelines as they are declared: projects/NAME/config.yaml or .json (docs/pipelines.md), read into frozen values."""

from landbridge.config.pipelines.values import (
    Monitoring,
    PhaseRule,
    Pipeline,
    Retry,
    Smtp,
    StageCleaning,
    TimedTolerances,
    Tolerances,
)

__all__ = ["Monitoring", "PhaseRule", "Pipeline", "Retry", "Smtp", "StageCleaning", "TimedTolerances", "Tolerances"]
