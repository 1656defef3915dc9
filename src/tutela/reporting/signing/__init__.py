"""Who stands for a report, and that it is queued by itself then."""
