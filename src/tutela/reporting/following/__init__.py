"""What comes after a report: what authorities say of it, and how long they had to wait for it."""
