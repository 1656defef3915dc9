"""The ledger: who did what, provably unaltered."""
