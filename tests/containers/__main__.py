"""`python -m tests.containers`: what the tests here need and what takes a minute to make.

CI does it beside its other stages. Where it cannot be done, the tests say so as they would without it.
"""

import sys

from tests.containers import local_engine, local_images

try:
    local_engine.prepare()
    sys.stdout.write(f"{local_images.prepare()}\n")
except (local_engine.NoEngineHereError, local_images.NoImagesHereError) as error:
    sys.exit(str(error))
