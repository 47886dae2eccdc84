"""The whole of Loa on one machine: PostgreSQL, Valkey and every process of ours under one manager.

    with Stack(folder) as stack:            # nothing in `folder`: a new installation
        stack.environment                   # DATABASE_URL, BROKER_URL, LOA_URL, ... of what is running
        stack.kill("dispatch")
        stack.wait_ready("dispatch")        # the manager has started another

`processes.py` is the list of processes. Standard library only: the manager starts before Django can.
"""

from .errors import Trouble
from .handle import Stack
from .processes import PROCESSES, Process

__all__ = ["PROCESSES", "Process", "Stack", "Trouble"]
