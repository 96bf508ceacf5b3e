// What is asked of the server, all of it at the page's own address.
import type { Told } from "./model";

export interface Hour {
  step: number; // seconds
  steps: number; // at most
  end: number; // milliseconds since 1970
  requests: number[];
  errors: number[];
  in_flight: number[];
  p50: (number | null)[];
  p99: (number | null)[];
}

export interface HealthEvent {
  kind: "health";
  at: number | null;
  first: number | null;
  times: number;
  balancer: string;
  member: string;
  cause: string;
  evidence: string;
  before: string;
  after: string;
}

export interface ChangeEvent {
  kind: "change";
  what: string;
  id: number;
  at: number;
  balancer: string;
  member: string;
  field: string;
  before: string;
  after: string;
  who: string;
  from: string;
  reason: string;
  undoes?: number;
}

export type PastEvent = HealthEvent | ChangeEvent;

export interface History {
  health: HealthEvent[]; // the latest 100
  changes: ChangeEvent[]; // likewise
  fault: string;
}

export interface Wish {
  balancer: string;
  member?: string;
  fields?: Record<string, string>;
  switch?: string; // "+S", "-D"
  drain?: Record<string, never>;
  undrain?: true;
  undo?: number;
}

function address(part: string, parameters: Record<string, string> = {}): string {
  const more = Object.entries(parameters).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`);
  return `?live=${part}${more.join("")}`;
}

async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  let why = `${response.status} ${response.statusText}`;
  try {
    why = ((await response.json()) as { detail?: string }).detail ?? why;
  } catch {
    // Somebody else answered, in another form.
  }
  throw new Error(why);
}

export async function fetch_hour(balancer: string, member?: string): Promise<Hour> {
  const parameters: Record<string, string> = member === undefined ? { balancer } : { balancer, member };
  return read<Hour>(await fetch(address("hour", parameters)));
}

export async function fetch_history(): Promise<History> {
  return read<History>(await fetch(address("events")));
}

export async function send_change(wish: Wish, nonce: string): Promise<ChangeEvent[]> {
  const response = await fetch(address("change"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wish, nonce }),
  });
  return (await read<{ changes: ChangeEvent[] }>(response)).changes;
}

export interface Listener {
  all(told: Told): void;
  some(told: Told): void;
  state(live: boolean): void;
}

// A browser asks again by itself when the connection breaks; when the answer was an error it gives
// up, and we do not.
export function listen(listener: Listener): void {
  const source = new EventSource(address("feed"));
  const told = (event: Event) => JSON.parse((event as MessageEvent<string>).data) as Told;
  source.addEventListener("all", (event) => {
    listener.all(told(event));
    listener.state(true);
  });
  source.addEventListener("some", (event) => listener.some(told(event)));
  source.onerror = () => {
    listener.state(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(listener), 2000);
  };
}
