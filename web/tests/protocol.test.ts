import { expect, test } from "vitest";

import { Position, type Message } from "../src/live/protocol";

const rows = { executions: [], task_executions: [], graphs: [] };
const say = (type: string, seq: number, data: Message["data"]): Message => ({
  type,
  seq,
  data,
  timestamp: "2026-11-23T12:00:00.000000Z",
});

test("a greeting, changes, pings", () => {
  const position = new Position();
  expect(position.hear(say("hello", 5, { instance_id: "a", as_of_seq: 5, rows }))).toMatchObject({
    do: "begin",
    seq: 5,
  });
  expect(position.hear(say("task_started", 6, { event: {}, rows }))).toMatchObject({ do: "put", seq: 6 });
  expect(position.hear(say("ping", 9, { last_seq: 9 }))).toEqual({ do: "nothing" });
  expect(position.seq).toBe(9);
});

test("goes on where it was", () => {
  const position = new Position();
  position.hear(say("hello", 5, { instance_id: "a", as_of_seq: 5, rows }));
  expect(position.hear(say("hello", 5, { instance_id: "a", as_of_seq: 5, resumed_after: 5 }))).toEqual({
    do: "nothing",
  });
  expect(position.seq).toBe(5);
});

test("another server's numbers mean nothing", () => {
  const position = new Position();
  position.hear(say("hello", 5, { instance_id: "a", as_of_seq: 5, rows }));
  expect(position.hear(say("hello", 5, { instance_id: "b", as_of_seq: 5, resumed_after: 5 }))).toEqual({
    do: "reconnect",
  });
  expect(position.seq).toBeUndefined();
});

test("too far behind: everything anew", () => {
  const position = new Position();
  position.hear(say("hello", 5, { instance_id: "a", as_of_seq: 5, rows }));
  position.hear(say("hello", 900, { instance_id: "a", as_of_seq: 900 }));
  const fetch = ["/api/executions/x"];
  expect(position.hear(say("resync", 900, { as_of_seq: 900, fetch }))).toMatchObject({
    do: "begin",
    fetch,
    seq: 900,
  });
  expect(position.seq).toBe(900);
});
