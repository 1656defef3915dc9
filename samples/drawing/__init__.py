"""Landscapes and patterns, drawn by code: nothing here was ever in front of a camera."""
