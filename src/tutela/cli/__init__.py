"""The commands. Each module here is one command or one group of them."""
