"""Becomes another program, set up so that it can be stopped as a whole and never outlives us.

Run as a script by `cli.processes`, with nothing but the standard library, so that it costs a few
milliseconds. What it does between fork and exec would be unsafe in a process that has threads.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start a session of our own, change user and folder, tie to the parent, then exec."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--user")
    parser.add_argument("--tie-to", type=int)
    parser.add_argument("--tie-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("command", nargs="+")
    wish = parser.parse_args()
    os.setsid()
    os.chdir(wish.folder)
    _send_output_to(wish.log)
    if wish.user:
        _become(wish.user)
    if wish.tie_to and sys.platform == "linux":
        # Set after the change of user, which would clear it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, wish.tie_signal, 0, 0, 0)
        if os.getppid() != wish.tie_to:
            sys.exit("the process that asked for this one is gone")
    os.execvp(wish.command[0], wish.command)


def _send_output_to(path: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)


def _become(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    main()
