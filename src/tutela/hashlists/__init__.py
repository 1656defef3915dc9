"""Lists of known material: entries, where they came from, import, export and withdrawal."""
