// Numbers and times as people read them. No DOM here.

const dash = "–";

// Three digits: 0, 0.123, 12.3, 1,234.
export function number_text(value: number): string {
  if (value === 0) return "0";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

export function count_text(count: number): string {
  return count.toLocaleString("en");
}

export function milliseconds_text(value: number | null): string {
  if (value === null) return dash;
  if (value < 1) return value.toFixed(2);
  if (value < 10) return value.toFixed(1);
  return Math.round(value).toLocaleString("en");
}

export function bytes_text(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = bytes;
  while (size >= 1000 && unit + 1 < units.length) {
    size /= 1024;
    ++unit;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function percent_text(part: number | null): string {
  if (part === null) return dash;
  const percent = part * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

// How long something takes or lasts, in whole numbers of the largest unit that fits.
export function duration_text(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

// "cut short 2, connect 1", the most frequent first.
export function causes_text(causes: Record<string, number>): string {
  return Object.entries(causes).sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
    .map(([cause, count]) => `${cause.replaceAll("_", " ")} ${count_text(count)}`).join(", ");
}

export function clock_text(milliseconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const when = new Date(milliseconds);
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}

export function date_text(milliseconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const when = new Date(milliseconds);
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

export interface CheckTold {
  passed?: boolean;
  evidence?: string;
  at?: number;
  next?: number;
}

// "check passed 3 s ago, next in 2 s".
export function check_text(check: CheckTold | null, now: number): string {
  if (check === null) return "";
  const next = check.next === undefined ? "" : check.next <= now ? "next is due" : `next in ${duration_text(check.next - now)}`;
  if (check.at === undefined) return next === "" ? "" : `no check yet, ${next}`;
  const evidence = !check.passed && check.evidence ? `: ${check.evidence}` : "";
  const last = `check ${check.passed ? "passed" : "failed"} ${duration_text(now - check.at)} ago${evidence}`;
  return next === "" ? last : `${last}, ${next}`;
}
