"""`pytest` of .venv: as pytest's own, but a folder or file after an option is that option's value.

pytest looks for its configuration beside every word that names a file, before it knows our options:
`--mongod /usr/bin/mongod` would have it read no pytest.ini of this project (`_pytest/config/findpaths.py`).
"""

import runpy
import sys

from bootstrap.command import have_a_home, joined

if __name__ == "__main__":
    have_a_home()
    sys.argv[1:] = joined(sys.argv[1:])
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)
