"""Measurements of speed; each module is a command and says what it compares."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "benchmarks" / "records"
