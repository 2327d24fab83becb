"""For people who prefer to say ``tracer=``: a tracer that switches recording on, and does nothing else."""

from __future__ import annotations

from typing import Any

from graflow.trace.noop import NoopTracer

__all__ = ["LineageTracer"]


class LineageTracer(NoopTracer):  # type: ignore[misc]
    """``workflow("etl", tracer=LineageTracer())``.

    The hooks see more than any tracer is told, so they record, with whatever tracer a workflow has.
    """

    def __init__(self, **settings: Any) -> None:
        """Takes what :func:`graflow_lineage.enable` takes."""
        super().__init__()
        import graflow_lineage

        graflow_lineage.enable(**settings)

    def clone(self, trace_id: str) -> NoopTracer:
        """A tracer for a branch; the branch belongs to its run without one."""
        return NoopTracer()

    def __reduce__(self) -> tuple[type[NoopTracer], tuple[()]]:
        """In a pickle it is graflow's own, so that the pickle loads where this package is not installed."""
        return NoopTracer, ()
