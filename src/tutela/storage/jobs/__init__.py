"""Jobs: work that outlives the process which asked for it."""
