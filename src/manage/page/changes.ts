// Changes and their undoing: a wish goes to the server, what came of it is told with a way back.
import { find, make } from "./dom";
import type { Model } from "./model";
import { NoAnswer, send_change, type ChangeEvent, type Wish } from "./server";

const shown_max = 4;

export const field_words: Record<string, string> = {
  loadfactor: "weight", lbset: "set", status: "state flags", lbmethod: "method", stickysession: "stickiness",
};

const flag_words: Record<string, string> = {
  D: "disabled", S: "stopped", N: "draining", H: "standby", R: "spare", I: "ignores errors",
};

export function value_text(field: string, value: string): string {
  if (field === "status") return [...value].map((letter) => flag_words[letter] ?? letter).join(", ") || "none";
  if (field === "loadfactor" && value !== "") return String(Number(value));
  return value === "" ? "default" : value;
}

export function change_text(change: Pick<ChangeEvent, "member" | "balancer" | "field" | "before" | "after">): string {
  const whose = change.member || change.balancer;
  if (change.field === "") return whose;
  if (change.field === "member") return `${whose}: ${change.before || "not there"} → ${change.after || "not there"}`;
  const field = field_words[change.field] ?? change.field;
  return `${whose}: ${field} ${value_text(change.field, change.before)} → ${value_text(change.field, change.after)}`;
}

interface Done {
  wish: Wish;
  ids: number[];
}

export class Changes {
  private last: Done[] = [];

  constructor(private readonly model: Model) {}

  may_change(balancer: string): boolean {
    return (this.model.nonces[balancer] ?? "") !== "";
  }

  // False: it was refused, and that was said.
  async make(wish: Wish): Promise<boolean> {
    const whose = wish.member ?? wish.balancer;
    try {
      const changes = await send_change(wish, this.model.nonces[wish.balancer] ?? "");
      if (changes.length === 0) {
        this.tell(`${whose}: it was so already.`);
        return true;
      }
      const done = { wish, ids: changes.map((change) => change.id) };
      if (wish.undo === undefined) this.last.push(done);
      const text = changes.map(change_text).join("; ");
      this.tell(wish.undo === undefined ? text : `Taken back. ${text}`, wish.undo === undefined ? done : undefined);
      return true;
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      // An order whose answer was lost may have been obeyed.
      this.complain(fault instanceof NoAnswer ? `${whose}: ${why}. Whether that was done is not known.` : `${whose} is as it was: ${why}`);
      return false;
    }
  }

  async undo(balancer: string, id: number): Promise<void> {
    for (const done of this.last) done.ids = done.ids.filter((each) => each !== id);
    await this.make({ balancer, undo: id });
  }

  async undo_last(): Promise<void> {
    const done = this.last.pop();
    if (done === undefined || done.ids.length === 0) {
      this.tell("There is no change of this page left to undo.");
      return;
    }
    await this.take_back(done);
  }

  private async take_back(done: Done): Promise<void> {
    this.last = this.last.filter((each) => each !== done);
    // The latest first, as each may stand on the one before.
    for (const id of [...done.ids].sort((a, b) => b - a)) await this.undo(done.wish.balancer, id);
  }

  tell(text: string, done?: Done): void {
    const toast = this.toast(text, "told");
    if (done === undefined) return;
    const button = make("button", { type: "button", class: "undo" }, "Undo");
    button.addEventListener("click", () => {
      toast.remove();
      void this.take_back(done);
    });
    toast.insertBefore(button, toast.lastElementChild);
  }

  complain(text: string): void {
    this.toast(text, "fault").setAttribute("role", "alert");
  }

  private toast(text: string, kind: string): HTMLElement {
    const close = make("button", { type: "button", class: "close", "aria-label": "Close this message" }, "×");
    const toast = make("div", { class: `toast ${kind}` }, make("p", {}, text), close);
    close.addEventListener("click", () => toast.remove());
    const all = find("toasts");
    all.append(toast);
    while (all.childElementCount > shown_max) all.firstElementChild?.remove();
    return toast;
  }
}
