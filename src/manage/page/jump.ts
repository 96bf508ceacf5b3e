// The balancers by name, each a way to its section: the first one may fill many screens.
import { anchor_of, short_name } from "./balancer";
import { arrange, find, make, put, say } from "./dom";
import { count_text } from "./format";
import { tone_of, type BalancerRow, type MemberRow } from "./model";

interface Link {
  element: HTMLAnchorElement;
  name: HTMLElement;
  usable: HTMLElement;
}

export class Jump {
  private readonly place = find("jump");
  private readonly links = new Map<string, Link>();

  show(balancers: BalancerRow[], members_of: (label: string) => MemberRow[]): void {
    this.place.hidden = balancers.length < 2;
    const elements = balancers.map((row) => {
      const link = this.links.get(row.balancer) ?? this.add(row.balancer);
      say(link.name, short_name(row));
      say(link.usable, `${count_text(row.usable)} of ${count_text(row.members)}`);
      put(link.element, "data-tone", tone_of(members_of(row.balancer)));
      return link.element;
    });
    arrange(this.place, elements);
    for (const [label, link] of this.links) if (!elements.includes(link.element)) this.links.delete(label);
  }

  private add(label: string): Link {
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    const name = make("span", { class: "whose" });
    const usable = make("span", { class: "usable" });
    const element = make("a", { href: `#${anchor_of(label)}`, title: `${label}: members that are usable, of all` }, dot, name, usable);
    const link = { element, name, usable };
    this.links.set(label, link);
    return link;
  }
}

// Whoever comes by such a link, or loads the page anew, finds nothing to scroll to before the members are there.
export function jump_to_address(): void {
  const id = location.hash.slice(1);
  if (id !== "") document.getElementById(id)?.scrollIntoView();
}
