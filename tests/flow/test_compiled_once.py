"""Each loop of a run is compiled for one set of types.

Another set costs a second more on a new machine, and processes that start together there must not keep different ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from impasse.flows.cli import demo

# What a new process does: tests before this one may have called a loop with other types.
_RUN = """
import json, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from tests.flow.running import run_steps

run_steps(Path(sys.argv[1]), Path(sys.argv[2]))
modules = [module for name, module in sys.modules.items() if name.startswith("impasse.transforms.")]
loops = {loop for module in modules for loop in vars(module).values() if isinstance(loop, Dispatcher)}
print(json.dumps({loop.__name__: len(loop.signatures) for loop in loops}))
"""


def test_each_loop_of_a_run_is_compiled_for_one_set_of_types(tmp_path: Path) -> None:
    """None is called with arrays of two kinds in a run of the demonstration."""
    study = demo.write_demo(tmp_path, 400, seed=5)
    told = subprocess.run(
        [sys.executable, "-c", _RUN, str(study), str(tmp_path / "runs")],
        check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2],
        env={name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"},
    )  # fmt: skip
    compiled = json.loads(told.stdout.splitlines()[-1])

    assert sum(n == 1 for n in compiled.values()) > 10
    assert {name: n for name, n in compiled.items() if n > 1} == {}  # one that only others call has none of its own
