"""The index of known fingerprints: exact digests, PDQ within a distance. Pure but for its files."""
