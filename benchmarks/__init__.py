"""Measuring Tutela against its nearest peers, side by side: ``python -m benchmarks``."""
