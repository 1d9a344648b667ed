"""A window is tried again where what stopped it may pass (docs/pipelines.md, "Failures")."""

from collections.abc import Callable

from landbridge.config.pipelines import Retry
from landbridge.engine.events import Notice, Sink
from landbridge.engine.windowed.failures import category
from landbridge.ledger.runs import Run

WAITS = {  # seconds: the first wait, what each is times the one before, the longest, and the most that chance adds
    "exponential": (1.0, 2.0, 300.0, 1.0),
    "linear": (2.0, 1.0, 2.0, 0.5),
    "none": (0.0, 1.0, 0.0, 0.0),
}


def attempts(rules: Retry, walk: Callable[[bool], Run], emit: Sink) -> Run:
    """The run that succeeded. `walk` is told whether it is one more attempt; raises what the last one did."""
    import stamina

    first, times, most, jitter = WAITS[rules.backoff_strategy]
    stamina.instrumentation.set_on_retry_hooks([])  # the drive table has every attempt
    for one in stamina.retry_context(
        on=_may_pass,
        attempts=rules.max_retries + 1,
        timeout=None,
        wait_initial=first,
        wait_exp_base=times,
        wait_max=most,
        wait_jitter=jitter,
    ):
        with one:
            try:
                return walk(one.num > 1)
            except Exception as failure:
                if _may_pass(failure) and one.num <= rules.max_retries:
                    emit(Notice(f"attempt {one.num} failed, and may pass: again in about {one.next_wait:.0f} s"))
                raise
    raise AssertionError("the last attempt raises or returns")


def _may_pass(failure: Exception) -> bool:
    return category(failure) == "transient"
