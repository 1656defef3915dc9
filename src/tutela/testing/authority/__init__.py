"""A CyberTipline server on one's own machine, made from the published facts.

It takes reports as the real one does, refuses what the real one refuses, and can be told to fail in
every way in which the network and the real one may. Nothing that it takes goes anywhere. What it
does beyond the real one is under ``/control/`` and at ``/``, and every answer bears
``X-Tutela-Sandbox: yes``, which no real server's does.
"""
