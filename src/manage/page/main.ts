// The live page: hears from the server once a second what changed, and shows it.
import { BalancerSection } from "./balancer";
import { Changes } from "./changes";
import { Detail } from "./detail";
import { arrange, find, make, put, say } from "./dom";
import { count_text, number_text } from "./format";
import { show_history, type Kinds } from "./history";
import { Jump, jump_to_address } from "./jump";
import { has_shown, is_last_in_service, left_out_text, Model, summary_of, type MemberRow, type Show, type SortKey, type View } from "./model";
import { takes_out, toggle_wish, type Toggle } from "./orders";
import { fetch_history, listen, type History } from "./server";
import { columns } from "./table";
import { begin_theme } from "./theme";

const chart_interval_ms = 10_000;
const history_interval_ms = 3_000;
const typing_pause_ms = 120;
const silence_max_ms = 5_000;

const model = new Model();
const changes = new Changes(model);
const view: View = { text: "", show: "all", sort: "order", descending: false };
const sections = new Map<string, BalancerSection>();
const totals = new Map<string, HTMLElement>();
let history: History | undefined;
let history_mark = "";
let history_changes = -1;
let history_at = 0;
let heard_at = 0;

const actions = {
  may_change: (balancer: string) => changes.may_change(balancer),
  sort: (key: SortKey) => {
    // Numbers are looked at from the largest on.
    const names = key === "member" || key === "state" || key === "order" || key === "lbset";
    if (view.sort !== key) Object.assign(view, { sort: key, descending: !names });
    else if (view.descending !== names) view.descending = !view.descending;
    else Object.assign(view, { sort: "order", descending: false });
    find<HTMLSelectElement>("sort").value = view.sort;
    show_anew();
  },
  open: (row: MemberRow, from: HTMLElement) => detail.open(row, from, model.at, history),
  toggle: (row: MemberRow, toggle: Toggle, on: boolean) => {
    const question = `${row.member} is the last member of ${row.balancer} in service. Take it out all the same?`;
    if (takes_out(toggle, on) && is_last_in_service(row, model.members()) && !confirm(question)) return;
    void changes.make(toggle_wish(row, toggle, on));
  },
  set: (row: MemberRow, field: "loadfactor" | "lbset", value: string) =>
    changes.make({ balancer: row.balancer, member: row.member, fields: { [field]: value } }),
  undo: (balancer: string, id: number) => void changes.undo(balancer, id),
  closed: () => undefined,
};
const detail = new Detail(actions);
const jump = new Jump();

function show(): void {
  const balancers = model.balancers();
  const members = model.members();
  const of = new Map<string, MemberRow[]>();
  for (const row of members) {
    const list = of.get(row.balancer);
    if (list) list.push(row);
    else of.set(row.balancer, [row]);
  }
  for (const label of [...sections.keys()]) if (!balancers.some((row) => row.balancer === label)) sections.delete(label);
  const members_of = (label: string) => of.get(label) ?? [];
  const shown = balancers.filter((row) => has_shown(row, members_of(row.balancer), view));
  const elements: Element[] = shown.map((row) => {
    let section = sections.get(row.balancer);
    if (section === undefined) {
      section = new BalancerSection(row.balancer, actions, show);
      sections.set(row.balancer, section);
    }
    section.show(row, members_of(row.balancer), view, model.at);
    return section.element;
  });
  if (balancers.length === 0) elements.push(nothing);
  arrange(find("balancers"), elements);
  jump.show(shown, members_of);
  const left_out = left_out_text(shown.length, balancers.length);
  find("left-out").hidden = left_out === "";
  say(find("left-out"), left_out);
  show_totals(members);
  show_troubles();
  if (detail.is_open) {
    const row = members.find((each) => detail.is_about(each));
    if (row) detail.show(row, model.at);
    else detail.close();
  }
}

// Told anew only when they are others: a screen reader says each once.
function show_troubles(): void {
  const place = find("troubles");
  const texts = model.troubles;
  if ([...place.children].map((each) => each.textContent).join("\n") === texts.join("\n")) return;
  place.replaceChildren(...texts.map((text) => make("p", {}, text)));
}

const nothing = make("p", { class: "nothing" }, "This virtual host has no balancers.");

function show_anew(): void {
  for (const section of sections.values()) section.forget_order();
  show();
}

function show_totals(members: MemberRow[]): void {
  const sum = (of: (row: MemberRow) => number) => members.reduce((total, row) => total + of(row), 0);
  const serving = members.filter((row) => row.tone === "good").length;
  const balancers = model.balancers();
  total("Requests a second", number_text(balancers.reduce((all, row) => all + row.rate, 0)));
  total("In flight", count_text(sum((row) => row.in_flight)));
  const errors = balancers.reduce((all, row) => all + row.error_count, 0);
  total("Errors, last minute", count_text(errors), errors > 0 ? "bad" : undefined);
  const are_bad = members.some((row) => row.tone === "bad");
  total("In service", `${count_text(serving)} of ${count_text(members.length)}`, are_bad ? "bad" : undefined);
  total("Waiting in queues", count_text(balancers.reduce((all, row) => all + row.queue, 0)));
  say(find("summary"), summary_of(members));
  const troubled = members.filter((row) => row.tone === "bad").length;
  document.title = `${troubled > 0 ? `(${troubled}) ` : ""}Balancers · ${model.server} · Steelyard`;
}

function total(label: string, text: string, tone?: string): void {
  let value = totals.get(label);
  if (value === undefined) {
    value = make("dd");
    totals.set(label, value);
    find("totals").append(make("div", {}, make("dt", {}, label), value));
  }
  say(value, text);
  put(value, "data-tone", tone);
}

// After a change at once; while members go up and down by the dozen, once in a while.
async function refresh_history(): Promise<void> {
  const mark = model.history_mark();
  const is_new_change = model.changes !== history_changes;
  if (mark === history_mark || (!is_new_change && Date.now() - history_at < history_interval_ms)) return;
  history_mark = mark;
  history_changes = model.changes;
  history_at = Date.now();
  try {
    history = await fetch_history();
    tell_history();
  } catch {
    history_mark = ""; // with the next event
  }
}

function tell_history(): void {
  if (history === undefined) return;
  const kinds = find<HTMLSelectElement>("history-kinds").value as Kinds;
  show_history(find("history"), history, kinds, actions);
  if (detail.is_open) detail.show_history(history);
}

function tell_live(): void {
  put(find("connection"), "data-state", "live");
  say(find("connection-text"), "live");
}

function tell_lost(why: string): void {
  put(find("connection"), "data-state", "lost");
  say(find("connection-text"), `${why === "" ? "no word from the server" : why}, asking again`);
  // Nothing but this is on the page.
  if (heard_at === 0 && why !== "") find("balancers").replaceChildren(make("p", { class: "nothing" }, `The server did not tell of its members: ${why}.`));
}

function refresh_charts(): void {
  for (const section of sections.values()) void section.refresh_charts();
  void detail.refresh_charts();
}

function begin_tools(): void {
  const sort = find<HTMLSelectElement>("sort");
  sort.append(make("option", { value: "order" }, "as configured"));
  for (const column of columns) sort.append(make("option", { value: column.key }, column.label));
  sort.addEventListener("change", () => actions.sort(sort.value as SortKey));
  const filter = find<HTMLInputElement>("filter");
  let pause = 0;
  filter.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      view.text = filter.value;
      show_anew();
    }, typing_pause_ms) as unknown as number;
  });
  const choice = find<HTMLSelectElement>("show");
  choice.addEventListener("change", () => {
    view.show = choice.value as Show;
    show_anew();
  });
  find("history-kinds").addEventListener("change", tell_history);
  find("tools").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
    if (event.key === "/" && !detail.is_open) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === "u") void changes.undo_last();
  });
}

begin_theme(() => {
  for (const section of sections.values()) section.draw_charts_anew();
  detail.draw_charts_anew();
});
begin_tools();
listen({
  all: (told) => {
    model.begin(told);
    const is_first = heard_at === 0;
    heard_at = Date.now();
    say(find("server"), model.server);
    show_anew();
    if (is_first) jump_to_address();
    void refresh_history();
    refresh_charts();
  },
  some: (told) => {
    model.go_on(told);
    heard_at = Date.now();
    tell_live();
    show();
    void refresh_history();
  },
  live: tell_live,
  lost: tell_lost,
});
setInterval(refresh_charts, chart_interval_ms);
setInterval(() => {
  if (heard_at !== 0 && Date.now() - heard_at > silence_max_ms && find("connection").dataset["state"] === "live") tell_lost("");
}, 1000);
