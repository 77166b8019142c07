"""Writes docs/run.schema.json, the schema of a run's `run.json`.

python -m docs.run_schema
"""

from __future__ import annotations

import json
from pathlib import Path

from besedka.report.model import Run

PAGE = Path(__file__).with_name("run.schema.json")

if __name__ == "__main__":
    PAGE.write_text(
        json.dumps(Run.model_json_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
