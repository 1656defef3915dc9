"""Where things are kept: settings, the clock, the database and its migrations."""
