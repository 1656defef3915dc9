"""Evidence: sealed when it matches, kept as long as the law says, then destroyed for good."""
