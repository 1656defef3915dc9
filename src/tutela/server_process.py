"""What a server process runs: the application, loaded without looking for garbage in it."""

import gc
from importlib import import_module

from fastapi import FastAPI


def create() -> FastAPI:
    """The application over the configured house.

    Two thousand modules, their routes and models stay as long as the process. To look for garbage
    among them took a third of the start, and later 190 ms each time, in which nobody was answered;
    without them it takes 37.
    """
    gc.disable()
    try:
        application: FastAPI = import_module("tutela.application").create()
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
    return application
