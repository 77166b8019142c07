"""Stands just before `python -m MODULE`: heavy modules are imported, nothing has run. Each service is a fork.

Started as `python fork_server.py <label> <module,module…>` in the service's working folder. It gets what of
the service's environment the modules read when imported. A socket to its owner is standard input. A request
is JSON, `{"module": …, "arguments": […], "environment": {…}, "log": file, "input": file}`. Two descriptors
come with it: the pipe that a guard reads, and a socket. For each request it forks a guard, which forks the
service. The socket gets the guard's process id, and when it has ended its exit status. `label` says in the
process list whose these are: a fork has the command line of its fork server.

A service made so has imported before what a new process would import first; open files, threads, event loops
and data are its own. The modules named must leave none of these behind when imported. On Linux guards
are bound to the fork server by the kernel. It ends when its owner does: nothing outlives the owner, kill -9
included. Standard library only, POSIX only.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

REQUEST_BYTES = 65536
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class Forked:
    """A child as `guard.py` watches one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status = 0
        self._ended = threading.Event()

    def wait(self, timeout: float | None = None) -> int:
        """Exit status of the child. The thread that names no timeout reaps it, any other asks that one."""
        if timeout is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self._ended.set()
        elif not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return self._status

    def send_signal(self, sig: int) -> None:
        """That signal, while it lives."""
        if not self._ended.is_set():
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def main(modules: list[str]) -> Callable[[], object] | None:
    """Serve the owner until it is gone; in a fork, return what the fork is to do."""
    guard = runpy.run_path(str(_SUPERVISOR))
    sys.path[0] = os.getcwd()  # as -m has it, in place of this file's folder
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    owner = socket.socket(fileno=os.dup(0))
    asked: dict[int, socket.socket] = {}

    def reap(_number: int, _frame: FrameType | None) -> None:
        for pid in list(asked):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _tell(asked.pop(pid), os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        line, descriptors, _flags, _address = socket.recv_fds(owner, REQUEST_BYTES, 2)
        if not line:
            return None
        pipe, answers = descriptors
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            for connection in (owner, *asked.values()):
                connection.close()
            os.close(answers)
            return _guarded(guard, json.loads(line), pipe)
        os.close(pipe)
        asked[pid] = socket.socket(fileno=answers)
        _tell(asked[pid], pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _tell(connection: socket.socket, number: int) -> None:
    try:
        connection.sendall(b"%d\n" % number)
    except OSError:
        connection.close()  # nobody is interested any more


def _guarded(guard: dict[str, Any], request: dict[str, Any], pipe: int) -> Callable[[], object]:
    """In the guard: fork the service; returns what each of the two is to do."""
    if guard["die_with_parent"]:
        guard["die_with_parent"]()
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    os.dup2(pipe, 0)
    os.close(pipe)
    pid = os.fork()
    if pid:
        return lambda: os._exit(guard["watch"](Forked(pid)) & 0xFF)
    if guard["die_with_parent"]:
        guard["die_with_parent"]()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given = os.open(request["input"], os.O_RDONLY)
    os.dup2(given, 0)
    os.close(given)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = [request["module"], *request["arguments"]]
    return lambda: os._exit(_run(request["module"]))


def _run(module: str) -> int:
    """`python -m module`; its exit status, for who spares the interpreter's end.

    That end takes all imported modules apart again, which is longer than a short command takes.
    """
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = _status_of(ended)
    except BaseException:  # as the interpreter does at its top
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _status_of(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return (ended.code or 0) & 0xFF
    sys.stderr.write(f"{ended.code}\n")
    return 1


if __name__ == "__main__":
    work = main([name for name in sys.argv[2].split(",") if name])
    if work:
        work()
