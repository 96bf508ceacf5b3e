// Everything about one member, in a dialog: charts, numbers, orders, history.
import { Chart, in_flight, latency, traffic } from "./charts";
import { find, make, put, say } from "./dom";
import { bytes_text, causes_text, count_text, milliseconds_text, number_text, percent_text } from "./format";
import { events_of, history_list, type HistoryActions } from "./history";
import { has_flag, type MemberRow } from "./model";
import { letter_of, type Toggle } from "./orders";
import { fetch_hour, type History } from "./server";
import { pool_text, why_text } from "./table";

export interface DetailActions extends HistoryActions {
  toggle(row: MemberRow, toggle: Toggle, on: boolean): void;
  closed(): void;
}

const orders: [Toggle, string, string][] = [
  ["drain", "Drain", "No new sessions; those that it has stay"],
  ["stop", "Stop", "No requests at all"],
  ["disable", "Disable", "No requests; its errors are still tried again"],
  ["standby", "Standby", "Requests only when the others of its set are down"],
];

export class Detail {
  private readonly dialog = find<HTMLDialogElement>("detail");
  private readonly title = make("h2", { id: "detail-title" });
  private readonly state = make("p", { class: "state" });
  private readonly values = make("dl", { class: "values" });
  private readonly buttons: [HTMLButtonElement, Toggle][] = [];
  private readonly charts = [new Chart(traffic), new Chart(latency), new Chart(in_flight)];
  private readonly past = make("div");
  private row: MemberRow | undefined;
  private opener: HTMLElement | undefined;

  constructor(private readonly actions: DetailActions) {
    const close = make("button", { type: "button", class: "quiet close" }, "Close");
    close.addEventListener("click", () => this.dialog.close());
    const toggles = make("div", { class: "toggles" });
    for (const [toggle, label, about] of orders) {
      const button = make("button", { type: "button", title: about }, label);
      button.addEventListener("click", () => {
        if (this.row) actions.toggle(this.row, toggle, !has_flag(this.row, letter_of(toggle)));
      });
      this.buttons.push([button, toggle]);
      toggles.append(button);
    }
    this.dialog.append(make("header", {}, this.title, close), this.state, toggles,
      make("div", { class: "charts" }, ...this.charts.map((chart) => chart.element)), this.values,
      make("h3", {}, "What happened to it"), this.past);
    this.dialog.addEventListener("close", () => {
      this.row = undefined;
      // The browser has given the focus back already, and a quick hand has moved it on since.
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost || this.dialog.contains(document.activeElement)) this.opener?.focus();
      actions.closed();
    });
    // Beside the dialog is outside of it.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  get is_open(): boolean {
    return this.row !== undefined;
  }

  open(row: MemberRow, opener: HTMLElement, now: number, history: History | undefined): void {
    this.opener = opener;
    this.row = row;
    this.show(row, now);
    this.show_history(history);
    this.dialog.showModal();
    void this.refresh_charts();
  }

  close(): void {
    this.dialog.close();
  }

  // By name: a reload may give its number to another member.
  is_about(row: MemberRow): boolean {
    return this.row?.member === row.member && this.row.balancer === row.balancer;
  }

  show(row: MemberRow, now: number): void {
    this.row = row;
    say(this.title, row.member);
    put(this.dialog, "data-tone", row.tone);
    const why = why_text(row, now);
    say(this.state, `${row.state}${why === "" ? "" : ` · ${why}`}`);
    const facts: [string, string][] = [
      ["Balancer", row.balancer],
      ["Route", row.route || "–"],
      ["Status", row.status],
      ["Weight, set", `${row.weight}, ${row.lbset}`],
      ["Share, expected", `${percent_text(row.share)}, ${percent_text(row.expected)}`],
      ["Requests", `${number_text(row.rate)} a second, ${row.elected.toLocaleString("en")} in all`],
      ["In flight", count_text(row.in_flight)],
      ["Errors, last minute", row.error_count === 0 ? "none" : causes_text(row.errors)],
      ["p50, p99", `${milliseconds_text(row.p50)} ms, ${milliseconds_text(row.p99)} ms`],
      ["To, from", `${bytes_text(row.sent)}/s, ${bytes_text(row.received)}/s`],
      ["Connections", `${pool_text(row)} (in use + idle)`],
    ];
    if (row.socket !== "") facts.unshift(["Socket", row.socket]);
    this.values.replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
    for (const [button, toggle] of this.buttons) {
      put(button, "aria-pressed", String(has_flag(row, letter_of(toggle))));
      button.disabled = !this.actions.may_change(row.balancer);
    }
  }

  show_history(history: History | undefined): void {
    const row = this.row;
    const own = (history ? events_of(history, "all") : []).filter((event) => event.balancer === row?.balancer && event.member === row.member);
    this.past.replaceChildren(own.length === 0 ? make("p", { class: "nothing" }, "Nothing so far.") : history_list(own, this.actions));
  }

  async refresh_charts(): Promise<void> {
    const row = this.row;
    if (row === undefined) return;
    try {
      const hour = await fetch_hour(row.balancer, row.member);
      if (this.is_about(row)) for (const chart of this.charts) chart.show(hour);
    } catch {
      // As in balancer.ts: the connection's state is told, and the next time comes soon.
    }
  }

  draw_charts_anew(): void {
    for (const chart of this.charts) chart.draw_anew();
  }
}
