"""`python -m tests.unit.restart.killed ADDRESS STACK_FILE FOLDER MOMENT`: a restart that dies at that moment.

MOMENT is a step of the journal (dies right after it is written) or `halfway SERVICE`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from besedka.restart import procedure
from besedka.restart.journal import Journal
from besedka.stacks.model import Stack
from tests.unit.restart.embedded_services import KEY, KillingServices, Wire
from tests.unit.restart.stacks import target_of

if __name__ == "__main__":
    address, stack_file, folder, moment = sys.argv[1:]
    Wire.register("services")
    wire = Wire(address=address, authkey=KEY)
    wire.connect()
    note = Journal.note

    def note_and_die(self: Journal, step: str) -> None:
        note(self, step)
        if step == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    Journal.note = note_and_die  # type: ignore[method-assign]
    stack = Stack.from_json(Path(stack_file).read_text(encoding="utf-8"))
    services = KillingServices(wire.services(), moment)  # type: ignore[attr-defined]
    procedure.restart(target_of(stack, Path(folder)), services, say=print)
