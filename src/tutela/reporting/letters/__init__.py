"""Reports by mail and by webhook, to authorities without an interface for programs."""
