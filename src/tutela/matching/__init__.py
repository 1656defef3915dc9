"""The index of known fingerprints: exact digests, and PDQ within a distance. Pure but for its files."""
