"""
Runs a command that ends with its parent, however that ends. A program of its own, started by path: it must be quick.

    python -S leash.py SIGNAL PARENT COMMAND...

Linux only (PR_SET_PDEATHSIG); elsewhere it runs the command, and a killed parent leaves it behind.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """
    Become the command; SIGNAL (a number) is what the kernel sends it when the parent is gone.

    PARENT is the parent's process id: it may be gone before the kernel knows that we care. 0 when it is not known.
    """
    number, parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number))
        if int(parent) not in {0, os.getppid()}:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - that is all it is for


if __name__ == "__main__":
    main(sys.argv[1:])
