"""A small client for what the server has recorded: plain rows, and frames where a library for them is there."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Client", "LineageError", "Rows"]


class LineageError(Exception):
    """The server does not answer, or says no."""


class Rows(list[dict[str, Any]]):
    """Rows as dictionaries."""

    def frame(self) -> Any:
        """The rows as a frame of pandas, or else of polars.

        :raises ImportError: when neither is installed.
        """
        try:
            import pandas
        except ImportError:
            pass
        else:
            return pandas.DataFrame(list(self))
        try:
            import polars
        except ImportError:
            raise ImportError("a frame needs pandas or polars; install one of them") from None
        return polars.DataFrame(list(self))


class Client:
    """Asks a server: that of ``url``, of ``GRAFLOW_LINEAGE_URL``, or the one that serves the data folder.

    >>> Client("http://127.0.0.1:8000").executions(limit=5)  # doctest: +SKIP
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        """:raises LineageError: when no server is named and none serves the data folder."""
        self.url = (url or os.environ.get("GRAFLOW_LINEAGE_URL") or _served()).rstrip("/")
        self._token = token or os.environ.get("GRAFLOW_LINEAGE_TOKEN")
        host = urllib.parse.urlsplit(self.url).hostname or ""
        # What is on this machine is reached without a proxy.
        proxies: dict[str, str] | None = {} if host == "localhost" or host.startswith("127.") or host == "::1" else None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))

    def get(self, path: str, **parameters: Any) -> Any:
        """One answer of the server, as data."""
        query = urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None})
        request = urllib.request.Request(f"{self.url}{path}{'?' + query if query else ''}")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            try:
                said = json.load(error).get("error", "")
            except ValueError:
                said = ""
            raise LineageError(f"{path}: {error.code} {said}".rstrip()) from None
        except (urllib.error.URLError, OSError) as error:
            raise LineageError(f"{self.url} does not answer: {error}; start it with `graflow lineage serve`") from None

    def executions(self, limit: int | None = None, **filters: Any) -> Rows:
        """Runs, newest first; filters as in the REST API."""
        return self._all("/api/executions", "executions", limit, filters)

    def execution(self, execution_id: str) -> dict[str, Any]:
        """One run."""
        return dict(self.get(f"/api/executions/{_quoted(execution_id)}")["execution"])

    def task_executions(self, execution_id: str, limit: int | None = None, **filters: Any) -> Rows:
        """The task executions of a run."""
        path = f"/api/executions/{_quoted(execution_id)}/task_executions"
        return self._all(path, "task_executions", limit, filters)

    def writes(self, execution_id: str) -> Rows:
        """What the tasks of a run wrote."""
        return Rows(self.get(f"/api/executions/{_quoted(execution_id)}/data")["writes"])

    def reads(self, execution_id: str) -> Rows:
        """What the tasks of a run read."""
        return Rows(self.get(f"/api/executions/{_quoted(execution_id)}/data")["reads"])

    def findings(self, execution_id: str) -> Rows:
        """What people should know about a run."""
        return Rows(self.get(f"/api/executions/{_quoted(execution_id)}/findings")["findings"])

    def graph(self, execution_id: str) -> dict[str, Any]:
        """Nodes and edges of a run."""
        return dict(self.get(f"/api/executions/{_quoted(execution_id)}/graph"))

    def _all(self, path: str, rows: str, limit: int | None, filters: dict[str, Any]) -> Rows:
        found = Rows()
        for page in self._pages(path, limit, filters):
            found.extend(page[rows])
            if limit is not None and len(found) >= limit:
                del found[limit:]
                break
        return found

    def _pages(self, path: str, limit: int | None, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self.get(path, limit=min(limit or 1_000, 1_000), cursor=cursor, **filters)
            yield page
            cursor = page.get("next_cursor")
            if not cursor:
                return


def _served() -> str:
    from graflow_lineage import _native

    folder = Path(_native.data_folder())
    try:
        url = json.loads((folder / "server.json").read_text())["url"]
    except (OSError, ValueError, KeyError):
        url = None
    if not url:
        raise LineageError(f"no server serves {folder}; start one with `graflow lineage serve`")
    return str(url)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
