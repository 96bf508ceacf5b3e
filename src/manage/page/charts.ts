// Small charts of the last hour. uPlot draws; colours are the page's own.
import uPlot from "uplot";
import { make, put } from "./dom";
import { clock_text, milliseconds_text, number_text } from "./format";
import { lone_samples } from "./samples";
import type { Hour } from "./server";

interface Line {
  label: string;
  colour: string; // a custom property of the style
  fill?: boolean;
  values: (hour: Hour) => (number | null)[];
}

export interface ChartSpec {
  title: string;
  lines: Line[];
  text: (value: number | null) => string;
}

export const traffic: ChartSpec = {
  title: "Requests and errors /s",
  text: (value) => (value === null ? "–" : number_text(value)),
  lines: [
    { label: "requests", colour: "--accent", fill: true, values: (hour) => hour.requests },
    { label: "errors", colour: "--bad", values: (hour) => hour.errors },
  ],
};

export const latency: ChartSpec = {
  title: "Time to answer, ms",
  text: milliseconds_text,
  lines: [
    { label: "p50", colour: "--accent", values: (hour) => hour.p50 },
    { label: "p99", colour: "--warn", values: (hour) => hour.p99 },
  ],
};

export const in_flight: ChartSpec = {
  title: "In flight",
  text: (value) => (value === null ? "–" : number_text(value)),
  lines: [{ label: "in flight", colour: "--accent", fill: true, values: (hour) => hour.in_flight }],
};

const height = 84;
// A server that has just begun has little to tell; it fills the chart nevertheless.
const shortest_seconds = 300;

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function with_alpha(hex: string, alpha: string): string {
  return /^#[0-9a-f]{6}$/i.test(hex) ? hex + alpha : hex;
}

export class Chart {
  readonly element = make("figure", { class: "chart" });
  private readonly key = make("span", { class: "key" });
  private readonly stage = make("div", { class: "stage", role: "img" });
  private plot: uPlot | undefined;
  private hour: Hour | undefined;

  constructor(private readonly spec: ChartSpec) {
    this.element.append(make("figcaption", {}, make("span", { class: "title" }, spec.title), this.key), this.stage);
    this.tell_values(null);
    put(this.stage, "aria-label", `${spec.title} over the last hour: nothing is known yet`);
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  show(hour: Hour): void {
    this.hour = hour;
    if (this.plot) this.plot.setData(this.data(hour), true);
    else this.fit();
    this.describe(hour);
    this.tell_values(null);
  }

  // In the colours that hold now.
  draw_anew(): void {
    this.plot?.destroy();
    this.plot = undefined;
    if (this.hour) this.fit();
  }

  private data(hour: Hour): uPlot.AlignedData {
    const count = hour.requests.length;
    const end = Math.floor(hour.end / 1000);
    const times = Array.from({ length: count }, (_, i) => end - (count - 1 - i) * hour.step);
    return [times, ...this.spec.lines.map((line) => line.values(hour))];
  }

  private fit(): void {
    const width = Math.floor(this.stage.clientWidth);
    if (width === 0 || this.hour === undefined) return;
    if (this.plot) {
      if (this.plot.width !== width) this.plot.setSize({ width, height });
      return;
    }
    this.plot = new uPlot(this.options(width), this.data(this.hour), this.stage);
  }

  private options(width: number): uPlot.Options {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
      font: "11px system-ui, sans-serif" };
    return {
      width, height, legend: { show: false }, padding: [6, 6, 0, 0],
      cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
      scales: { x: { range: () => this.extent() }, y: { range: (_plot, _low, high) => [0, (high || 1) * 1.1] } },
      axes: [
        { ...axis, size: 18, space: 70, values: (_plot, splits) => splits.map((at) => clock_text(at * 1000).slice(0, 5)) },
        { ...axis, size: 44, space: 24, values: (_plot, splits) => splits.map((value) => number_text(value)) },
      ],
      series: [{}, ...this.spec.lines.map((line): uPlot.Series => ({
        label: line.label, stroke: colour(line.colour), width: 1.5, spanGaps: false,
        // A line needs two samples; with few requests most have no neighbour.
        points: { show: false, size: 4, fill: colour(line.colour), filter: (plot, at) => lone_samples(plot.data[at] ?? []) },
        ...(line.fill ? { fill: with_alpha(colour(line.colour), "22") } : {}),
      }))],
      hooks: { setCursor: [(plot) => this.tell_values(plot.cursor.idx ?? null)] },
    };
  }

  private extent(): uPlot.Range.MinMax {
    if (this.hour === undefined) return [0, 1];
    const end = Math.floor(this.hour.end / 1000);
    const known = Math.max(this.hour.requests.length * this.hour.step, shortest_seconds);
    return [end - Math.min(known, this.hour.step * this.hour.steps), end];
  }

  // Beside the title: the last values, or those under the pointer.
  private tell_values(at: number | null): void {
    const parts = this.spec.lines.map((line) => {
      const values = this.hour ? line.values(this.hour) : [];
      const value = values[at ?? values.length - 1] ?? null;
      const swatch = make("i", { class: "swatch", "data-colour": line.colour.slice(2), "aria-hidden": "true" });
      return make("span", {}, swatch, `${line.label} ${this.spec.text(value)}`);
    });
    if (at !== null && this.hour) {
      const back = (this.hour.requests.length - 1 - at) * this.hour.step * 1000;
      parts.unshift(make("span", { class: "when" }, clock_text(this.hour.end - back)));
    }
    this.key.replaceChildren(...parts);
  }

  private describe(hour: Hour): void {
    const told = this.spec.lines.map((line) => {
      const known = line.values(hour).filter((value): value is number => value !== null);
      const most = known.length ? Math.max(...known) : null;
      return `${line.label} now ${this.spec.text(line.values(hour).at(-1) ?? null)}, highest ${this.spec.text(most)}`;
    });
    put(this.stage, "aria-label", `${this.spec.title} over the last hour: ${told.join("; ")}`);
  }
}
