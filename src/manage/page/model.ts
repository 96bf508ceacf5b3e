// What the server told of balancers and members, and what of it is to be shown. No DOM here.

export interface Amounts {
  rate: number;
  sent: number;
  received: number;
  errors: Record<string, number>; // of the last minute, by cause
  error_count: number;
  p50: number | null; // milliseconds
  p99: number | null;
  in_flight: number;
}

export interface BalancerRow extends Amounts {
  id: number;
  kind: "balancer";
  balancer: string;
  name: string;
  policy: string;
  sticky: string;
  members: number;
  usable: number;
  queue: number;
  queue_max: number | null;
}

export interface Check {
  passed?: boolean;
  evidence?: string;
  at?: number; // milliseconds since 1970
  next?: number;
}

export type Tone = "good" | "warn" | "bad" | "off";

export interface MemberRow extends Amounts {
  id: number;
  kind: "member";
  balancer: string;
  member: string;
  socket: string;
  route: string;
  state: string;
  tone: Tone;
  status: string;
  flags: string; // letters that operators set
  reason: string;
  until: number | null;
  weight: number;
  lbset: number;
  elected: number;
  check: Check | null;
  drain: string | null;
  events: number;
  open: number;
  idle: number;
  waiting: number;
  pool_max: number;
  share: number | null;
  expected: number;
}

export type Row = BalancerRow | MemberRow;

export interface Told {
  at: number;
  changes: number;
  rows: ({ id: number } & Record<string, unknown>)[];
  gone: number[];
  troubles?: string[]; // what keeps changes from being made or shared
  server?: string;
  generation?: number;
  nonces?: Record<string, string>;
}

export class Model {
  at = 0; // the server's clock at the last event
  changes = 0; // number of the last change by an operator
  server = "";
  generation = 0;
  nonces: Record<string, string> = {};
  troubles: string[] = [];
  private rows = new Map<number, Row>();

  // All of it, in the place of whatever was known.
  begin(told: Told): void {
    this.rows.clear();
    this.server = told.server ?? "";
    this.generation = told.generation ?? 0;
    this.nonces = told.nonces ?? {};
    this.go_on(told);
  }

  // What is new or different.
  go_on(told: Told): void {
    this.at = told.at;
    this.changes = told.changes;
    this.troubles = told.troubles ?? [];
    for (const news of told.rows) {
      const known = this.rows.get(news.id);
      if (known) Object.assign(known, news);
      else this.rows.set(news.id, news as unknown as Row);
    }
    for (const id of told.gone) this.rows.delete(id);
  }

  // In the order of the configuration; members that were added come last.
  balancers(): BalancerRow[] {
    return this.all().filter((row): row is BalancerRow => row.kind === "balancer");
  }

  members(balancer?: string): MemberRow[] {
    return this.all().filter((row): row is MemberRow =>
      row.kind === "member" && (balancer === undefined || row.balancer === balancer));
  }

  // Changes whenever the history does.
  history_mark(): string {
    let events = 0;
    for (const row of this.rows.values()) if (row.kind === "member") events += row.events;
    return `${this.generation}/${this.changes}/${events}`;
  }

  private all(): Row[] {
    return [...this.rows.values()].sort((a, b) => a.id - b.id);
  }
}

export type Show = "all" | "trouble" | "errors" | "busy";
export type SortKey = "order" | "member" | "state" | "share" | "rate" | "in_flight" | "error_count" |
  "p50" | "p99" | "traffic" | "open" | "weight" | "lbset";

export interface View {
  text: string;
  show: Show;
  sort: SortKey;
  descending: boolean;
}

function contains_words(about: string, text: string): boolean {
  return text.toLowerCase().split(/\s+/).every((word) => about.toLowerCase().includes(word));
}

// Every word has to be in the member's name, route, state, reason or balancer.
export function is_shown(row: MemberRow, view: Pick<View, "text" | "show">): boolean {
  if (view.show === "trouble" && row.tone === "good") return false;
  if (view.show === "errors" && row.error_count === 0) return false;
  if (view.show === "busy" && row.rate === 0 && row.in_flight === 0) return false;
  const about = `${row.member}\n${row.socket}\n${row.route}\n${row.state}\n${row.reason}\n${row.balancer}`;
  return contains_words(about, view.text);
}

// A balancer is there with its members, and without any if its own name is what was asked for.
export function has_shown(balancer: BalancerRow, members: MemberRow[], view: Pick<View, "text" | "show">): boolean {
  if (members.length !== 0) return members.some((row) => is_shown(row, view));
  return view.show === "all" && contains_words(balancer.balancer, view.text);
}

// Of all balancers, those that the view leaves out, in words; "": none.
export function left_out_text(shown: number, all: number): string {
  if (shown === all) return "";
  if (shown === 0) return "No member is like that.";
  const left_out = all - shown;
  return `${left_out} other ${left_out === 1 ? "balancer has" : "balancers have"} no member like that.`;
}

// The worst of a balancer's members.
export function tone_of(members: MemberRow[]): Tone {
  return members.reduce<Tone>((worst, row) => (tones[row.tone] < tones[worst] ? row.tone : worst), members.length === 0 ? "off" : "good");
}

const tones: Record<Tone, number> = { bad: 0, warn: 1, off: 2, good: 3 };

function value_of(row: MemberRow, key: SortKey): number | string | null {
  switch (key) {
    case "order": return row.id;
    case "state": return tones[row.tone];
    case "traffic": return row.sent + row.received;
    default: return row[key];
  }
}

// Numbers in names count as numbers: m2 comes before m10.
const names = new Intl.Collator("en", { numeric: true });

function compare(a: MemberRow, b: MemberRow, view: View): number {
  const x = value_of(a, view.sort);
  const y = value_of(b, view.sort);
  // What is not known comes last, whichever way.
  if (x === null || y === null) return Number(x === null) - Number(y === null) || a.id - b.id;
  const order = typeof x === "string" || typeof y === "string" ? names.compare(String(x), String(y)) : x - y;
  return (view.descending ? -order : order) || a.id - b.id;
}

export function chosen(rows: MemberRow[], view: View): MemberRow[] {
  return rows.filter((row) => is_shown(row, view)).sort((a, b) => compare(a, b, view));
}

export interface Page<T> {
  rows: T[];
  page: number; // from 0; no page behind the last one
  pages: number;
  first: number; // of all, from 1; 0: there is none
  last: number;
  total: number;
}

export function page_of<T>(rows: T[], page: number, size: number): Page<T> {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const at = Math.min(Math.max(0, page), pages - 1);
  const part = rows.slice(at * size, (at + 1) * size);
  return { rows: part, page: at, pages, first: part.length ? at * size + 1 : 0,
    last: at * size + part.length, total: rows.length };
}

export function has_flag(row: MemberRow, letter: string): boolean {
  return row.flags.includes(letter);
}

// Whether taking this member out leaves its balancer without any.
export function is_last_in_service(row: MemberRow, all: MemberRow[]): boolean {
  return row.tone === "good" && !all.some((other) =>
    other.id !== row.id && other.balancer === row.balancer && (other.tone === "good" || other.state === "standby" || other.state === "spare"));
}

// One sentence for those who do not see the page; the same while nothing worth a word happens.
export function summary_of(members: MemberRow[]): string {
  const troubled = members.filter((row) => row.tone === "bad");
  if (troubled.length === 0) return members.length === 0 ? "There are no members." : "No member is in trouble.";
  const named = troubled.slice(0, 3).map((row) => `${row.member} (${row.state})`).join(", ");
  const more = troubled.length > 3 ? ` and ${troubled.length - 3} more` : "";
  return `${troubled.length} of ${members.length} members in trouble: ${named}${more}.`;
}
