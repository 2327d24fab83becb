"""graflow's own copies of the channel: into the branches of a group, and back."""

from __future__ import annotations

from typing import Any

from graflow_lineage import _native
from graflow_lineage._faults import guarded
from graflow_lineage._settings import settings
from graflow_lineage._state import Frame, frames


def mute(context: Any) -> Frame | None:
    """What graflow itself reads and writes from now on is not the user's. Nothing in here can fail."""
    frame = frames.get(id(context))
    if frame is not None:
        frame.muted += 1
    return frame


@guarded
def branched(frame: Frame | None, branch: Any) -> None:
    """A branch has copied the channel: its values are those that were there."""
    if frame is not None:
        frame.branches[id(branch)] = (dict(frame.versions), None)


@guarded
def merged(frame: Frame | None, branch: Any) -> None:
    """A branch's copy was written back, what it had not touched as well."""
    if frame is None:
        return
    base, ended = frame.branches.pop(id(branch), ({}, None))
    if ended is None:
        return
    writer = ended.last if type(ended.last) is _native.TaskExecution else None
    for key, write in ended.versions.items():
        before = frame.versions.get(key)
        if write is base.get(key) and before is not write and before is not None:
            # Another branch had written it meanwhile; the old value is back, and that write is lost.
            value = ended.context.channel.data.get(key) if hasattr(ended.context.channel, "data") else None
            frame.run.native.write(writer, key, value, True, None, settings.policy(frame.run, None, key))
        frame.versions[key] = write
