import assert from "node:assert/strict";
import test from "node:test";
import { events_of, without_echoes } from "./history";
import type { ChangeEvent, HealthEvent } from "./server";

const health: HealthEvent = { kind: "health", at: 1000, first: 1000, times: 1, balancer: "balancer://app", member: "http://m1:80",
  cause: "set by an operator", evidence: "", before: "Init Ok", after: "Init Dis" };
const change: ChangeEvent = { kind: "change", what: "change", id: 1, at: 1500, balancer: "balancer://app", member: "http://m1:80",
  field: "status", before: "", after: "D", who: "", from: "127.0.0.1", reason: "" };

test("an operator's change of a status is told once", () => {
  assert.deepEqual(without_echoes([change, health]), [change]);
  assert.deepEqual(without_echoes([health]), [health]);
  for (const other of [{ ...change, field: "loadfactor" }, { ...change, at: 9000 }, { ...change, member: "http://m2:80" }])
    assert.deepEqual(without_echoes([other, health]), [other, health]);
  const failed = { ...health, cause: "could not be connected to" };
  assert.deepEqual(without_echoes([change, failed]), [change, failed]);
});

test("both kinds are told together with the latest first, or one of them", () => {
  const failed = { ...health, cause: "could not be connected to", at: 9000 };
  const begun = { ...failed, at: null };
  const history = { health: [begun, failed], changes: [change], fault: "" };
  assert.deepEqual(events_of(history, "all"), [failed, change, begun]);
  assert.deepEqual(events_of(history, "changes"), [change]);
  assert.deepEqual(events_of(history, "health"), [failed, begun]);
});
