"""Talks to a lineage server, with nothing but the standard library."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from run import Event

# Events in one request; the server takes up to 10,000.
BATCH = 2_000
# How long the server may take to show what it has acknowledged.
PATIENCE_SECONDS = 60.0


class ServerError(Exception):
    """The server's answer is none that the contract allows."""


class Server:
    """A server by its address; `GRAFLOW_LINEAGE_TOKEN` is its token, if it wants one."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.last_seq = 0

    def post(self, events: list[Event]) -> None:
        """Posts events in batches, each of them twice: a producer that heard no answer does the same."""
        for at in range(0, len(events), BATCH):
            batch = events[at : at + BATCH]
            body = json.dumps(batch).encode()
            for expected in ({"accepted": len(batch), "duplicates": 0}, {"accepted": 0, "duplicates": len(batch)}):
                answer = self.ask("/api/events", body)
                told = {name: answer[name] for name in expected}
                if told != expected or answer["invalid"]:
                    raise ServerError(
                        f"posted {len(batch)} events: {told}, expected {expected}; {answer['invalid'][:3]}"
                    )
                self.last_seq = answer["last_seq"]

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """An answer that has everything that was posted."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.ask(f"{path}?{urlencode(query)}" if query else path)
            if answer["as_of_seq"] >= self.last_seq:
                return answer
            if time.monotonic() > deadline:
                raise ServerError(f"{path} is at seq {answer['as_of_seq']}, and {self.last_seq} was acknowledged")
            time.sleep(0.1)

    def pages(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        """The rows of all pages."""
        query: dict[str, str | int] = {"limit": 1_000}
        while True:
            page = self.get(path, **query)
            yield from page[key]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if token := os.environ.get("GRAFLOW_LINEAGE_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        try:
            with urlopen(Request(self.url + path, data=body, headers=headers), timeout=PATIENCE_SECONDS) as response:
                answer = json.load(response)
        except HTTPError as error:
            raise ServerError(f"{path}: {error.code} {error.read().decode(errors='replace')[:500]}") from None
        if not isinstance(answer, dict):
            raise ServerError(f"{path}: not an object: {answer!r:.200}")
        return answer


def path_of(execution_id: str, what: str = "") -> str:
    return f"/api/executions/{quote(execution_id, safe='')}{what}"
