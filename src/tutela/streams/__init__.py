"""Live streams: received, watched frame by frame, and judged while they last."""
