// What the buttons of the page ask of the server.
import type { MemberRow } from "./model";
import type { Wish } from "./server";

export type Toggle = "drain" | "stop" | "standby" | "disable";

const letters: Record<Toggle, string> = { drain: "N", stop: "S", standby: "H", disable: "D" };

export function letter_of(toggle: Toggle): string {
  return letters[toggle];
}

// Drains are orders of their own: they end, and take back what they set.
export function toggle_wish(row: MemberRow, toggle: Toggle, on: boolean): Wish {
  const whose = { balancer: row.balancer, member: row.member };
  if (toggle === "drain") return on ? { ...whose, drain: {} } : { ...whose, undrain: true };
  // The one letter alone: what others changed since this page heard of it stays.
  return { ...whose, switch: (on ? "+" : "-") + letters[toggle] };
}

// Whether the order keeps new requests from the member.
export function takes_out(toggle: Toggle, on: boolean): boolean {
  return on && toggle !== "standby";
}
