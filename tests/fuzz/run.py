"""Mutated deliveries by the thousand: `python -m tests.fuzz.run --deliveries 2000 --seed 0`.

Prints how they ended; ends with 1 if one ended wrongly, after its seed, its mutations and what is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.outcome import counted, tried


def main() -> int:
    """Try the deliveries of as many seeds as asked for."""
    parser = argparse.ArgumentParser(description="Read mutated deliveries and count how they end.")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    outcomes = []
    for seed in range(asked.seed, asked.seed + asked.deliveries):
        with tempfile.TemporaryDirectory() as folder:
            outcome = tried(seed, Path(folder))
        outcomes.append(outcome)
        if outcome.kind == "wrong":
            print(f"seed {seed}, {outcome.shape}, {', '.join(outcome.mutations)}: {outcome.told}", flush=True)
    print(counted(outcomes))
    return int(any(outcome.kind == "wrong" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
