// What happened: to members' health, and what operators changed, with a way back.
import { change_text } from "./changes";
import { make } from "./dom";
import { clock_text, date_text } from "./format";
import type { ChangeEvent, HealthEvent, History, PastEvent } from "./server";

const rows_max = 60;

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

export function show_history(into: HTMLElement, history: History, actions: HistoryActions): void {
  const parts: HTMLElement[] = [];
  if (history.fault !== "") parts.push(make("p", { class: "notice" }, `Operators' changes are not known: ${history.fault}`));
  if (history.events.length === 0) parts.push(make("p", { class: "nothing" }, "Nothing so far."));
  else parts.push(history_list(history.events, actions));
  if (!history.all || history.events.length > rows_max) parts.push(make("p", { class: "nothing" }, "Older ones are in the log and the journal."));
  into.replaceChildren(...parts);
}
