// The members of one balancer, as a table; on narrow screens its rows are cards (page.css).
import { arrange, make, put, say } from "./dom";
import { bytes_text, causes_text, check_text, count_text, duration_text, milliseconds_text, number_text, percent_text } from "./format";
import { has_flag, type MemberRow, type SortKey, type View } from "./model";
import type { Toggle } from "./orders";

interface Column {
  key: SortKey;
  label: string;
  about: string;
  numeric: boolean;
}

export const columns: Column[] = [
  { key: "member", label: "Member", about: "Address and route", numeric: false },
  { key: "state", label: "State", about: "State, why, and the health check", numeric: false },
  { key: "share", label: "Share", about: "Part of the balancer's requests in the last seconds, and the part its weight stands for", numeric: true },
  { key: "rate", label: "Req/s", about: "Requests a second", numeric: true },
  { key: "in_flight", label: "In flight", about: "Requests under way", numeric: true },
  { key: "error_count", label: "Errors/min", about: "Failures and answers of status 5xx in the last minute", numeric: true },
  { key: "p50", label: "p50 ms", about: "Half of all answers of the last minute began within this time", numeric: true },
  { key: "p99", label: "p99 ms", about: "99 of 100 answers of the last minute began within this time", numeric: true },
  { key: "traffic", label: "Bytes/s", about: "To the member and from it", numeric: true },
  { key: "open", label: "Pool", about: "Connections in use and idle, and requests that wait for one", numeric: true },
  { key: "weight", label: "Weight", about: "loadfactor", numeric: true },
  { key: "lbset", label: "Set", about: "lbset: higher sets are used when all lower ones are down", numeric: true },
];

export const toggles: { toggle: Toggle; label: string; letter: string; about: string }[] = [
  { toggle: "drain", label: "Drain", letter: "N", about: "No new sessions; those that it has stay" },
  { toggle: "stop", label: "Stop", letter: "S", about: "No requests at all" },
  { toggle: "standby", label: "Standby", letter: "H", about: "Requests only when the others of its set are down" },
];

export interface TableActions {
  sort(key: SortKey): void;
  open(row: MemberRow, from: HTMLElement): void;
  toggle(row: MemberRow, toggle: Toggle, on: boolean): void;
  set(row: MemberRow, field: "loadfactor" | "lbset", value: string): Promise<boolean>;
  may_change(balancer: string): boolean;
}

// One number that is changed in place: Enter or leaving it changes, Escape does not.
class NumberField {
  readonly element: HTMLInputElement;
  private held = "";

  constructor(private readonly label: string, mode: "decimal" | "numeric", change: (value: string) => Promise<boolean>) {
    this.element = make("input", { class: "inline", inputmode: mode, size: "4", autocomplete: "off" });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.element.value = this.held;
        this.element.blur();
        event.stopPropagation();
      }
      if (event.key === "Enter") this.element.blur();
    });
    this.element.addEventListener("focus", () => this.element.select());
    this.element.addEventListener("change", () => {
      const value = this.element.value.trim();
      if (value === this.held) return;
      void change(value).then((done) => {
        if (!done) this.element.value = this.held;
      });
    });
  }

  show(value: string, of: string, may_change: boolean): void {
    this.held = value;
    put(this.element, "aria-label", `${this.label} of ${of}`);
    this.element.readOnly = !may_change;
    if (document.activeElement !== this.element && this.element.value !== value) this.element.value = value;
  }
}

export class MemberLine {
  readonly element = make("tr", { role: "row" });
  private readonly open_button = make("button", { type: "button", class: "name" });
  private readonly route = make("span", { class: "route" });
  private readonly dot = make("span", { class: "dot", "aria-hidden": "true" });
  private readonly state = make("span", { class: "word" });
  private readonly why = make("span", { class: "why" });
  private readonly share = make("span", { class: "figure" });
  private readonly fill = make("span", { class: "fill" });
  private readonly mark = make("span", { class: "mark" });
  private readonly plain = new Map<SortKey, HTMLElement>();
  private readonly causes = make("span", { class: "why" });
  private readonly sent = make("span");
  private readonly received = make("span");
  private readonly weight: NumberField;
  private readonly lbset: NumberField;
  private readonly buttons: HTMLButtonElement[] = [];

  constructor(public row: MemberRow, private readonly actions: TableActions) {
    this.weight = new NumberField("Weight", "decimal", (value) => actions.set(this.row, "loadfactor", value));
    this.lbset = new NumberField("Set", "numeric", (value) => actions.set(this.row, "lbset", value));
    this.open_button.addEventListener("click", () => actions.open(this.row, this.open_button));
    for (const column of columns) this.element.append(this.cell(column));
    const group = make("div", { class: "toggles" });
    for (const { toggle, label, letter, about } of toggles) {
      const button = make("button", { type: "button", title: about }, label);
      button.addEventListener("click", () => actions.toggle(this.row, toggle, !has_flag(this.row, letter)));
      this.buttons.push(button);
      group.append(button);
    }
    this.element.append(make("td", { role: "cell", class: "orders", "data-label": "Change" }, group));
    this.show(row, row.id);
  }

  private cell(column: Column): HTMLElement {
    if (column.key === "member")
      return make("th", { role: "rowheader", scope: "row", class: "member" }, this.open_button, this.route);
    const cell = make("td", { role: "cell", class: column.numeric ? `number ${column.key}` : column.key, "data-label": column.label });
    switch (column.key) {
      case "state":
        cell.append(make("span", { class: "line" }, this.dot, this.state), this.why);
        break;
      case "share":
        cell.append(this.share, make("span", { class: "bar", "aria-hidden": "true" }, this.fill, this.mark));
        break;
      case "error_count":
        cell.append(this.figure(column.key), this.causes);
        break;
      case "traffic":
        cell.append(this.sent, this.received);
        break;
      case "weight":
        cell.append(this.weight.element);
        break;
      case "lbset":
        cell.append(this.lbset.element);
        break;
      default:
        cell.append(this.figure(column.key));
    }
    return cell;
  }

  private figure(key: SortKey): HTMLElement {
    const element = make("span", { class: "figure" });
    this.plain.set(key, element);
    return element;
  }

  show(row: MemberRow, now: number): void {
    this.row = row;
    const name = row.socket === "" ? row.member : `unix:${row.socket}|${row.member}`;
    say(this.open_button, name);
    put(this.open_button, "title", name);
    say(this.route, row.route === "" ? "" : `route ${row.route}`);
    put(this.element, "data-tone", row.tone);
    say(this.state, row.state);
    const why = why_text(row, now);
    say(this.why, why);
    put(this.why, "title", why || undefined);
    this.show_share(row);
    this.say_figure("rate", number_text(row.rate));
    this.say_figure("in_flight", count_text(row.in_flight));
    this.say_figure("error_count", count_text(row.error_count));
    put(this.element, "data-errors", row.error_count > 0);
    say(this.causes, causes_text(row.errors));
    this.say_figure("p50", milliseconds_text(row.p50));
    this.say_figure("p99", milliseconds_text(row.p99));
    say(this.sent, `to ${bytes_text(row.sent)}`);
    say(this.received, `from ${bytes_text(row.received)}`);
    this.say_figure("open", pool_text(row));
    const may_change = this.actions.may_change(row.balancer);
    this.weight.show(String(row.weight), row.member, may_change);
    this.lbset.show(String(row.lbset), row.member, may_change);
    this.buttons.forEach((button, i) => {
      const { letter = "", label = "" } = toggles[i] ?? {};
      put(button, "aria-pressed", String(has_flag(row, letter)));
      put(button, "aria-label", `${label} ${row.member}`);
      button.disabled = !may_change;
    });
  }

  private show_share(row: MemberRow): void {
    say(this.share, `${percent_text(row.share)} / ${percent_text(row.expected)}`);
    this.fill.style.width = `${Math.min(100, (row.share ?? 0) * 100)}%`;
    this.mark.style.left = `${Math.min(100, row.expected * 100)}%`;
  }

  private say_figure(key: SortKey, text: string): void {
    const element = this.plain.get(key);
    if (element) say(element, text);
  }
}

export function pool_text(row: MemberRow): string {
  const busy = Math.max(0, row.open - row.idle);
  const most = row.pool_max > 0 ? ` of ${row.pool_max}` : "";
  const waiting = row.waiting > 0 ? `, ${row.waiting} wait` : "";
  return `${busy} + ${row.idle}${most}${waiting}`;
}

export function why_text(row: MemberRow, now: number): string {
  const parts: string[] = [];
  if (row.until !== null && row.until > now) parts.push(`tried again in ${duration_text(row.until - now)}`);
  if (row.drain !== null) parts.push(`drain ${row.drain}`);
  // What the reason told need not be told again as the check's evidence.
  const is_told = row.check?.evidence !== undefined && row.reason.includes(row.check.evidence);
  const check = check_text(is_told && row.check ? { ...row.check, evidence: "" } : row.check, now);
  if (check !== "") parts.push(check);
  // Last, as it may be long and be cut.
  if (row.tone !== "good" && row.reason !== "") parts.push(row.reason);
  return parts.join("; ");
}

export class MemberTable {
  readonly element: HTMLElement;
  private readonly body = make("tbody", { role: "rowgroup" });
  private readonly headers = new Map<SortKey, HTMLElement>();
  // By name: after a reload the same number may be another member's.
  private readonly lines = new Map<string, MemberLine>();

  constructor(title: string, private readonly actions: TableActions) {
    const row = make("tr", { role: "row" });
    for (const column of columns) {
      const button = make("button", { type: "button", title: column.about }, column.label);
      button.addEventListener("click", () => this.actions.sort(column.key));
      const header = make("th", { role: "columnheader", scope: "col", class: column.numeric ? `number ${column.key}` : column.key }, button);
      this.headers.set(column.key, header);
      row.append(header);
    }
    row.append(make("th", { role: "columnheader", scope: "col", class: "orders" }, "Change"));
    const table = make("table", { role: "table" }, make("caption", { class: "unseen" }, `Members of ${title}`),
      make("thead", { role: "rowgroup" }, row), this.body);
    this.element = make("div", { class: "scroller" }, table);
  }

  // Somebody is about to click or type here: rows that moved would be hit by mistake.
  is_in_use(): boolean {
    return this.body.matches(":hover") || this.body.contains(document.activeElement);
  }

  show(rows: MemberRow[], view: View, now: number): void {
    for (const column of columns) {
      const sorted = column.key === view.sort ? (view.descending ? "descending" : "ascending") : undefined;
      const header = this.headers.get(column.key);
      if (header) put(header, "aria-sort", sorted);
    }
    const kept = new Set(rows.map((row) => row.member));
    for (const [name] of this.lines) if (!kept.has(name)) this.lines.delete(name);
    const elements = rows.map((row) => {
      let line = this.lines.get(row.member);
      if (line === undefined) {
        line = new MemberLine(row, this.actions);
        this.lines.set(row.member, line);
      }
      line.show(row, now);
      return line.element;
    });
    arrange(this.body, elements);
  }
}
