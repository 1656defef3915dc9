"""The main job: a file comes in, a verdict goes out."""
