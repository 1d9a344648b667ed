"""Pipelines: which windows are due, and what their runs do that those of tables do not (docs/pipelines.md)."""
