import assert from "node:assert/strict";
import test from "node:test";
import { bytes_text, causes_text, check_text, duration_text, milliseconds_text, number_text, percent_text } from "./format";

test("numbers have three digits", () => {
  assert.deepEqual([0, 0.1234, 12.34, 123.4, 12345].map(number_text), ["0", "0.12", "12.3", "123", "12,345"]);
});

test("milliseconds are known or a dash", () => {
  assert.deepEqual([null, 0.25, 3.14, 1234].map(milliseconds_text), ["–", "0.25", "3.1", "1,234"]);
});

test("bytes come in the unit that fits", () => {
  assert.deepEqual([0, 999, 1024, 150 * 1024, 2.5 * 1024 ** 3].map(bytes_text), ["0 B", "999 B", "1.0 KiB", "150 KiB", "2.5 GiB"]);
});

test("parts are per cent, small ones to a tenth", () => {
  assert.deepEqual([null, 0, 0.004, 0.333, 1].map(percent_text), ["–", "0 %", "0.4 %", "33 %", "100 %"]);
});

test("times are in whole numbers of one unit", () => {
  assert.deepEqual([-5, 400, 59_000, 61_000, 3 * 3600e3, 72 * 3600e3].map(duration_text), ["0 s", "0 s", "59 s", "1 min", "3 h", "3 d"]);
});

test("causes are told with the most frequent first", () => {
  assert.equal(causes_text({ connect: 1, timed_out: 20, answered_5xx: 1 }), "timed out 20, answered 5xx 1, connect 1");
  assert.equal(causes_text({}), "");
});

test("a check tells its end, its evidence when it failed, and the next one", () => {
  assert.equal(check_text(null, 0), "");
  assert.equal(check_text({ passed: true, evidence: "answered 200", at: 1000, next: 9000 }, 4000), "check passed 3 s ago, next in 5 s");
  assert.equal(check_text({ passed: false, evidence: "connection refused", at: 1000 }, 4000), "check failed 3 s ago: connection refused");
  assert.equal(check_text({ next: 9000 }, 4000), "no check yet, next in 5 s");
  assert.equal(check_text({ passed: true, at: 1000, next: 3000 }, 4000), "check passed 3 s ago, next is due");
  assert.equal(check_text({}, 0), "");
});
