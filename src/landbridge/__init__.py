"""Landbridge moves data between systems that cannot talk to each other, and proves that it arrived."""

__version__ = "0.1.0"
