"""How Prefect runs a step: nothing of it is kept, and it is tried again where a disk or store did not answer.

A part whose worker was killed, or for which there was not enough memory, is tried again by `parts`.
"""

from __future__ import annotations

from prefect.cache_policies import NO_CACHE

from impasse.schemas.errors import NoAnswer


def _may_pass(_task: object, _run: object, state: object) -> bool:
    """Did a file, disk or store not answer?"""
    try:
        state.result()
    except (OSError, NoAnswer):
        return True
    except Exception:
        return False
    return False


ONCE = {"cache_policy": NO_CACHE, "persist_result": False, "log_prints": False}
AGAIN = {**ONCE, "retries": 2, "retry_delay_seconds": 5, "retry_condition_fn": _may_pass}
