import assert from "node:assert/strict";
import test from "node:test";
import { change_text, value_text } from "./changes";

const change = { member: "http://m1:80", balancer: "balancer://app", field: "loadfactor", before: "1.00", after: "2.50" };

test("a change is told in words, with numbers as people write them", () => {
  assert.equal(change_text(change), "http://m1:80: weight 1 → 2.5");
  assert.equal(change_text({ ...change, field: "status", before: "", after: "NS" }), "http://m1:80: state flags none → draining, stopped");
  assert.equal(change_text({ ...change, field: "member", before: "", after: "added" }), "http://m1:80: not there → added");
  assert.equal(change_text({ ...change, member: "", field: "lbmethod", before: "byrequests", after: "bybusyness" }),
    "balancer://app: method byrequests → bybusyness");
});

test("nothing is the default, and of flags none", () => {
  assert.equal(value_text("timeout", ""), "default");
  assert.equal(value_text("status", ""), "none");
});
