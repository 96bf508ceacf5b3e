// One balancer: what it is, its charts, its members page by page.
import { Chart, latency, traffic } from "./charts";
import { make, put, say } from "./dom";
import { causes_text, count_text, milliseconds_text, number_text } from "./format";
import { chosen, page_of, type BalancerRow, type MemberRow, type View } from "./model";
import { fetch_hour } from "./server";
import { MemberTable, type TableActions } from "./table";

export const page_size = 50;

// Where links to it lead; nothing in it needs another escape in an address.
export function anchor_of(label: string): string {
  return `balancer-${encodeURIComponent(label)}`;
}

export function short_name(row: BalancerRow): string {
  return row.name.replace(/^balancer:\/\//, "");
}

export class BalancerSection {
  readonly element = make("section", { class: "balancer" });
  private readonly title = make("h2");
  private readonly facts = make("p", { class: "facts" });
  private readonly figures = make("dl", { class: "figures" });
  private readonly charts = [new Chart(traffic), new Chart(latency)];
  private readonly table: MemberTable;
  private readonly nothing = make("p", { class: "nothing" });
  private readonly range = make("span", { class: "range" });
  private readonly earlier = make("button", { type: "button" }, "Earlier");
  private readonly later = make("button", { type: "button" }, "Later");
  private readonly pager = make("div", { class: "pager" }, this.earlier, this.range, this.later);
  private readonly values = new Map<string, HTMLElement>();
  private page = 0;
  private order: number[] = [];
  private is_seen = false;

  constructor(public readonly label: string, actions: TableActions, turn_page: () => void) {
    this.table = new MemberTable(label, actions);
    const charts = make("div", { class: "charts" }, ...this.charts.map((chart) => chart.element));
    const id = anchor_of(label);
    put(this.title, "id", id);
    put(this.element, "aria-labelledby", id);
    this.element.append(make("header", {}, make("div", { class: "heading" }, this.title, this.facts), this.figures),
      charts, this.table.element, this.nothing, this.pager);
    const turn = (by: number) => () => {
      this.page += by;
      this.order = [];
      turn_page();
    };
    this.earlier.addEventListener("click", turn(-1));
    this.later.addEventListener("click", turn(1));
    new IntersectionObserver((seen) => {
      const was_seen = this.is_seen;
      this.is_seen = seen.some((each) => each.isIntersecting);
      if (this.is_seen && !was_seen) void this.refresh_charts();
    }).observe(charts);
  }

  // Another view was asked for: rows may move, whoever points at them.
  forget_order(): void {
    this.order = [];
    this.page = 0;
  }

  show(row: BalancerRow, members: MemberRow[], view: View, now: number): void {
    say(this.title, short_name(row));
    const sticky = row.sticky === "" ? "" : ` · sticky by ${row.sticky}`;
    const scope = row.balancer === row.name ? "" : ` · ${row.balancer}`;
    say(this.facts, `${row.policy}${sticky} · ${count_text(row.usable)} of ${count_text(row.members)} usable${scope}`);
    this.figure("Req/s", number_text(row.rate));
    this.figure("In flight", count_text(row.in_flight));
    this.figure("Waiting", row.queue_max === null ? "–" : `${row.queue} of ${row.queue_max}`);
    this.figure("Errors/min", count_text(row.error_count), causes_text(row.errors));
    this.figure("p50 ms", milliseconds_text(row.p50));
    this.figure("p99 ms", milliseconds_text(row.p99));
    const wanted = this.in_held_order(chosen(members, view));
    const page = page_of(wanted, this.page, page_size);
    this.page = page.page;
    this.order = wanted.map((each) => each.id);
    this.table.show(page.rows, view, now);
    this.table.element.hidden = page.total === 0;
    this.nothing.hidden = page.total !== 0;
    say(this.nothing, "This balancer has no members.");
    this.pager.hidden = page.pages === 1;
    say(this.range, `${page.first}–${page.last} of ${count_text(page.total)}`);
    this.earlier.disabled = page.page === 0;
    this.later.disabled = page.page + 1 === page.pages;
  }

  async refresh_charts(): Promise<void> {
    if (!this.is_seen) return;
    try {
      const hour = await fetch_hour(this.label);
      for (const chart of this.charts) chart.show(hour);
    } catch {
      // The connection's state is told at the top of the page; the next time comes soon.
    }
  }

  draw_charts_anew(): void {
    for (const chart of this.charts) chart.draw_anew();
  }

  private in_held_order(rows: MemberRow[]): MemberRow[] {
    if (this.order.length === 0 || !this.table.is_in_use()) return rows;
    const places = new Map(this.order.map((id, at) => [id, at]));
    return [...rows].sort((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
  }

  private figure(label: string, text: string, more = ""): void {
    let value = this.values.get(label);
    if (value === undefined) {
      value = make("dd");
      this.values.set(label, value);
      this.figures.append(make("div", {}, make("dt", {}, label), value));
    }
    say(value, text);
    put(value, "title", more || undefined);
    put(value, "data-errors", label === "Errors/min" && text !== "0");
  }
}
