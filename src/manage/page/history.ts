// What happened: to members' health, and what operators changed, with a way back.
import { change_text } from "./changes";
import { make } from "./dom";
import { clock_text, date_text } from "./format";
import type { ChangeEvent, HealthEvent, History, PastEvent } from "./server";

const rows_max = 60;
// A change of the status is an event of the member's health, too.
const echo_ms = 2000;

export function without_echoes(events: PastEvent[]): PastEvent[] {
  const changes = events.filter((event): event is ChangeEvent => event.kind === "change" && event.field === "status");
  return events.filter((event) => event.kind !== "health" || !event.cause.startsWith("set by an operator") ||
    !changes.some((change) => change.member === event.member && change.balancer === event.balancer &&
      Math.abs(change.at - (event.at ?? 0)) < echo_ms));
}

export interface HistoryActions {
  may_change(balancer: string): boolean;
  undo(balancer: string, id: number): void;
}

function time_element(at: number | null): HTMLElement {
  if (at === null || at === 0) return make("span", { class: "time" }, "at the start");
  const time = make("time", { datetime: new Date(at).toISOString() }, clock_text(at));
  const is_today = date_text(at) === date_text(Date.now());
  return make("span", { class: "time" }, ...(is_today ? [] : [`${date_text(at)} `]), time);
}

// "Init Drn Ok" without what every status has.
function status_words(status: string): string {
  return status.replace(/^Init /, "");
}

function health_text(event: HealthEvent): string {
  const evidence = event.evidence === "" ? "" : `: ${event.evidence}`;
  const times = event.times > 1 && event.first !== null ? ` (${event.times} times since ${clock_text(event.first)})` : "";
  return `${status_words(event.before)} → ${status_words(event.after)} · ${event.cause}${evidence}${times}`;
}

function author_text(event: ChangeEvent): string {
  const by = [event.who, event.from].filter((part) => part !== "").join(", ");
  const why = event.reason === "" ? "" : `: ${event.reason}`;
  return by === "" ? why : `by ${by}${why}`;
}

function change_words(event: ChangeEvent): string {
  const [, ...rest] = change_text(event).split(/: (.*)/s);
  const what = rest.join("") || event.what.replaceAll("_", " ");
  const prefix = event.what === "undo" ? `change ${event.undoes ?? ""} taken back · ` : event.what === "superseded" ? "the configuration counts · " : "";
  return prefix + what;
}

function kind_of(event: PastEvent): string {
  if (event.kind === "change") return "operator";
  return event.after.includes("Err") || event.after.includes("HcFl") ? "down" : "health";
}

export type Kinds = "all" | "changes" | "health";

// The latest first.
export function events_of(history: History, kinds: Kinds): PastEvent[] {
  const both = without_echoes([...history.health, ...history.changes]);
  return both.filter((event) => kinds === "all" || (event.kind === "change") === (kinds === "changes"))
    .sort((a, b) => (b.at ?? 0) - (a.at ?? 0));
}

export function history_list(events: PastEvent[], actions: HistoryActions): HTMLElement {
  const undone = new Set(events.flatMap((event) => (event.kind === "change" && event.undoes !== undefined ? [event.undoes] : [])));
  const list = make("ol", { class: "events" });
  for (const event of events.slice(0, rows_max)) {
    const row = make("li", { "data-kind": kind_of(event) }, time_element(event.at),
      make("span", { class: "whose" }, event.member || event.balancer));
    if (event.kind === "health") {
      row.append(make("span", { class: "what" }, health_text(event)));
    } else {
      row.append(make("span", { class: "what" }, change_words(event), make("span", { class: "author" }, ` ${author_text(event)}`)));
      if (undone.has(event.id)) row.append(make("span", { class: "undone" }, "taken back"));
      else if (event.field !== "" && event.what !== "superseded" && actions.may_change(event.balancer)) {
        const button = make("button", { type: "button", class: "undo", "aria-label": `Undo: ${change_text(event)}` }, "Undo");
        button.addEventListener("click", () => actions.undo(event.balancer, event.id));
        row.append(button);
      }
    }
    list.append(row);
  }
  return list;
}

export function show_history(into: HTMLElement, history: History, kinds: Kinds, actions: HistoryActions): void {
  const parts: HTMLElement[] = [];
  if (history.fault !== "") parts.push(make("p", { class: "notice" }, `Operators' changes are not known: ${history.fault}`));
  const events = events_of(history, kinds);
  if (events.length === 0) parts.push(make("p", { class: "nothing" }, "Nothing so far."));
  else parts.push(history_list(events, actions));
  if (events.length > rows_max) parts.push(make("p", { class: "nothing" }, "Earlier ones are in the error log."));
  into.replaceChildren(...parts);
}
