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

// Nothing came back, or only a part: whatever was asked for may have been done.
export class NoAnswer extends Error {}

async function ask(url: string, how: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, how);
  } catch {
    throw new NoAnswer("the server does not answer");
  }
}

async function read<T>(response: Response): Promise<T> {
  if (response.ok) {
    try {
      return (await response.json()) as T;
    } catch {
      throw new NoAnswer("the server's answer broke off");
    }
  }
  throw new Error(await refusal_of(response));
}

async function refusal_of(response: Response): Promise<string> {
  let why = `${response.status} ${response.statusText}`;
  try {
    why = ((await response.json()) as { detail?: string }).detail ?? why;
  } catch {
    // Somebody else answered, in another form.
  }
  return why;
}

export async function fetch_hour(balancer: string, member?: string): Promise<Hour> {
  const parameters: Record<string, string> = member === undefined ? { balancer } : { balancer, member };
  return read<Hour>(await ask(address("hour", parameters)));
}

export async function fetch_history(): Promise<History> {
  return read<History>(await ask(address("events")));
}

export async function send_change(wish: Wish, nonce: string): Promise<ChangeEvent[]> {
  const response = await ask(address("change"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wish, nonce }),
  });
  return (await read<{ changes: ChangeEvent[] }>(response)).changes;
}

export interface Listener {
  all(told: Told): void;
  some(told: Told): void;
  live(): void;
  lost(why: string): void;
}

// An EventSource does not tell with what words it was refused: the same is asked once more for them.
async function refusal_of_feed(): Promise<string> {
  const attempt = new AbortController();
  try {
    const response = await ask(address("feed"), { signal: attempt.signal });
    return response.ok ? "" : await refusal_of(response);
  } catch {
    return "";
  } finally {
    attempt.abort();
  }
}

// A browser asks again by itself when the connection breaks; when the answer was an error it gives
// up, and we do not.
export function listen(listener: Listener): void {
  const source = new EventSource(address("feed"));
  const told = (event: Event) => JSON.parse((event as MessageEvent<string>).data) as Told;
  source.addEventListener("all", (event) => {
    listener.all(told(event));
    listener.live();
  });
  source.addEventListener("some", (event) => listener.some(told(event)));
  source.onerror = () => {
    listener.lost("");
    if (source.readyState !== EventSource.CLOSED) return;
    void refusal_of_feed().then((why) => {
      if (why !== "") listener.lost(why);
      setTimeout(() => listen(listener), 2000);
    });
  };
}
