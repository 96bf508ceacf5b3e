import assert from "node:assert/strict";
import test from "node:test";
import { lone_samples } from "./samples";

test("samples without a neighbour need a point of their own, and others do not", () => {
  assert.deepEqual(lone_samples([]), []);
  assert.deepEqual(lone_samples([5]), [0]);
  assert.deepEqual(lone_samples([0, null, 0]), [0, 2]);
  assert.deepEqual(lone_samples([1, 2, null, 3, null, null, 4, 5]), [3]);
  assert.deepEqual(lone_samples([null, null]), []);
});
