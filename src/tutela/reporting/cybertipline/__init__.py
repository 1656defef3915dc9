"""The CyberTipline's reporting interface: its content, schema, answers and codes.

The content of a report is the same for every channel; this schema is the richest, so its model is
the one that the whole room uses. Nothing in here knows of a database or of a network.
"""
