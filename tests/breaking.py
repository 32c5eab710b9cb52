"""Ways to stop a program at any of its steps with the system."""

import errno
import os
import sys

STEPS = ("open", "os.", "tempfile.", "shutil.", "fcntl.", "ctypes.dlsym")


class Breaker:
    """Stops what runs while it is on at its n-th step with the system; Python keeps audit hooks."""

    def __init__(self):
        self.at, self.steps, self.action = None, 0, None
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.at is not None and event.startswith(STEPS):
            self.steps += 1
            if self.steps == self.at:
                self.action()

    def stop(self, at, action, work):
        """Do the work, with the action at this step; return how many steps there were."""
        self.at, self.steps, self.action = at, 0, action
        try:
            work()
        finally:
            self.at = None
        return self.steps


def interrupt():
    raise KeyboardInterrupt


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def die():
    os._exit(9)


def killed(breaker, at, work):
    """Do the work in a process that is killed at this step."""
    child = os.fork()
    if not child:
        try:
            breaker.stop(at, die, work)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
