import assert from "node:assert/strict";
import test from "node:test";
import { chosen, has_flag, has_shown, is_last_in_service, left_out_text, Model, page_of, summary_of, tone_of, type BalancerRow, type MemberRow, type View } from "./model";
import { takes_out, toggle_wish } from "./orders";

const plain: View = { text: "", show: "all", sort: "order", descending: false };

function member(id: number, more: Partial<MemberRow> = {}): MemberRow {
  return {
    id, kind: "member", balancer: "balancer://app", member: `http://m${id}:8080`, socket: "", route: `r${id}`, state: "in service",
    tone: "good", status: "Init Ok", flags: "", reason: "", until: null, weight: 1, lbset: 0, elected: 0, check: null, drain: null,
    events: 0, open: 0, idle: 0, waiting: 0, pool_max: 0, share: null, expected: 0, rate: 0, sent: 0, received: 0, errors: {},
    error_count: 0, p50: null, p99: null, in_flight: 0, ...more,
  };
}

function ids(rows: MemberRow[]): number[] {
  return rows.map((row) => row.id);
}

test("what is told at first is all there is, and news are laid over it", () => {
  const model = new Model();
  const row = { ...member(2) };
  model.begin({ at: 5, changes: 1, rows: [{ ...member(3) }, row as never], gone: [], nonces: { "balancer://app": "n" } });
  assert.deepEqual(ids(model.members()), [2, 3]);
  model.go_on({ at: 6, changes: 1, rows: [{ id: 2, in_flight: 4 }], gone: [3] });
  assert.deepEqual(ids(model.members()), [2]);
  assert.equal(model.members()[0]?.in_flight, 4);
  assert.equal(model.members()[0]?.route, "r2");
  model.begin({ at: 7, changes: 1, rows: [], gone: [] });
  assert.deepEqual(model.members(), []);
});

test("members are told apart by their balancer", () => {
  const model = new Model();
  model.begin({ at: 1, changes: 0, gone: [], rows: [{ ...member(1) }, { ...member(2, { balancer: "balancer://b" }) }] });
  assert.deepEqual(ids(model.members("balancer://b")), [2]);
});

test("the history's mark changes with a change and with an event, and not with a number", () => {
  const model = new Model();
  model.begin({ at: 1, changes: 0, gone: [], rows: [{ ...member(1) }] });
  const first = model.history_mark();
  model.go_on({ at: 2, changes: 0, gone: [], rows: [{ id: 1, in_flight: 9 }] });
  assert.equal(model.history_mark(), first);
  model.go_on({ at: 3, changes: 0, gone: [], rows: [{ id: 1, events: 1 }] });
  const second = model.history_mark();
  assert.ok(second !== first);
  model.go_on({ at: 4, changes: 1, gone: [], rows: [] });
  assert.ok(model.history_mark() !== second);
});

test("every word of the filter has to be somewhere, in any case", () => {
  const rows = [member(1, { state: "in error", tone: "bad", reason: "connection refused" }), member(2)];
  assert.deepEqual(ids(chosen(rows, { ...plain, text: "REFUSED m1" })), [1]);
  assert.deepEqual(ids(chosen(rows, { ...plain, text: "refused m2" })), []);
  assert.deepEqual(ids(chosen(rows, { ...plain, text: "  " })), [1, 2]);
});

test("only who is in trouble, has errors or is busy is shown", () => {
  const rows = [member(1, { tone: "bad" }), member(2, { error_count: 3 }), member(3, { in_flight: 1 }), member(4, { rate: 2 })];
  assert.deepEqual(ids(chosen(rows, { ...plain, show: "trouble" })), [1]);
  assert.deepEqual(ids(chosen(rows, { ...plain, show: "errors" })), [2]);
  assert.deepEqual(ids(chosen(rows, { ...plain, show: "busy" })), [3, 4]);
});

test("numbers are sorted as numbers, and who has none comes last either way", () => {
  const rows = [member(1, { p99: 9 }), member(2), member(3, { p99: 100 })];
  assert.deepEqual(ids(chosen(rows, { ...plain, sort: "p99" })), [1, 3, 2]);
  assert.deepEqual(ids(chosen(rows, { ...plain, sort: "p99", descending: true })), [3, 1, 2]);
});

test("names with numbers are sorted as people count, and the worst state comes first", () => {
  const rows = [member(10), member(2), member(9, { tone: "bad" })];
  assert.deepEqual(ids(chosen(rows, { ...plain, sort: "member" })), [2, 9, 10]);
  assert.deepEqual(ids(chosen(rows, { ...plain, sort: "state" })), [9, 2, 10]);
  assert.deepEqual(ids(chosen([member(1, { sent: 1 }), member(2, { received: 9 })], { ...plain, sort: "traffic", descending: true })), [2, 1]);
});

test("equals stay as they are configured", () => {
  assert.deepEqual(ids(chosen([member(3), member(1), member(2)], { ...plain, sort: "rate", descending: true })), [1, 2, 3]);
});

test("there is no page behind the last one", () => {
  const rows = Array.from({ length: 101 }, (_, i) => i);
  assert.deepEqual(page_of(rows, 2, 50), { rows: [100], page: 2, pages: 3, first: 101, last: 101, total: 101 });
  assert.equal(page_of(rows, 9, 50).page, 2);
  assert.deepEqual(page_of([], 3, 50), { rows: [], page: 0, pages: 1, first: 0, last: 0, total: 0 });
});

test("a flag is known by its letter", () => {
  assert.ok(has_flag(member(1, { flags: "NS" }), "N"));
  assert.ok(!has_flag(member(1, { flags: "NS" }), "D"));
});

test("a drain is an order of its own, other switches turn one letter of the status", () => {
  const row = member(1, { flags: "D" });
  const whose = { balancer: "balancer://app", member: "http://m1:8080" };
  assert.deepEqual(toggle_wish(row, "drain", true), { ...whose, drain: {} });
  assert.deepEqual(toggle_wish(row, "drain", false), { ...whose, undrain: true });
  assert.deepEqual(toggle_wish(row, "stop", true), { ...whose, switch: "+S" });
  assert.deepEqual(toggle_wish(row, "disable", false), { ...whose, switch: "-D" });
  assert.ok(takes_out("drain", true) && !takes_out("standby", true) && !takes_out("stop", false));
});

test("the last one in service is known, and a standby is there to help", () => {
  const rows = [member(1), member(2, { tone: "bad", state: "in error" }), member(3, { balancer: "balancer://b" })];
  assert.ok(is_last_in_service(rows[0] as MemberRow, rows));
  const helped = [...rows, member(4, { tone: "off", state: "standby" })];
  assert.ok(!is_last_in_service(rows[0] as MemberRow, helped));
  assert.ok(!is_last_in_service(rows[1] as MemberRow, rows));
});

test("the summary names who is in trouble and stays the same while nothing changes", () => {
  assert.equal(summary_of([]), "There are no members.");
  assert.equal(summary_of([member(1)]), "No member is in trouble.");
  const rows = [1, 2, 3, 4].map((id) => member(id, { tone: "bad", state: "in error" }));
  assert.equal(summary_of(rows).endsWith("http://m3:8080 (in error) and 1 more."), true);
  assert.equal(summary_of([member(1, { rate: 3 })]), summary_of([member(1, { rate: 4 })]));
});

test("a balancer is left out when a view is asked for that none of its members fits", () => {
  const balancer = { balancer: "balancer://app" } as BalancerRow;
  const rows = [member(1), member(2, { tone: "bad" })];
  assert.ok(has_shown(balancer, rows, plain));
  assert.ok(has_shown(balancer, rows, { text: "r2", show: "trouble" }));
  assert.ok(!has_shown(balancer, rows, { text: "r1", show: "trouble" }));
  assert.ok(!has_shown(balancer, rows, { text: "r3", show: "all" }));
  // Without members: by its own name.
  assert.ok(has_shown(balancer, [], plain));
  assert.ok(has_shown(balancer, [], { text: "APP", show: "all" }));
  assert.ok(!has_shown(balancer, [], { text: "other", show: "all" }));
  assert.ok(!has_shown(balancer, [], { text: "", show: "busy" }));
});

test("how many balancers are left out is said", () => {
  assert.equal(left_out_text(3, 3), "");
  assert.equal(left_out_text(2, 3), "1 other balancer has no member like that.");
  assert.equal(left_out_text(1, 3), "2 other balancers have no member like that.");
  assert.equal(left_out_text(0, 3), "No member is like that.");
});

test("a balancer has the tone of its worst member", () => {
  assert.equal(tone_of([]), "off");
  assert.equal(tone_of([member(1), member(2)]), "good");
  assert.equal(tone_of([member(1), member(2, { tone: "off" })]), "off");
  assert.equal(tone_of([member(1, { tone: "warn" }), member(2, { tone: "bad" }), member(3)]), "bad");
});
