"""The compiled kernel: the few loops on which the speed of all else rests."""
