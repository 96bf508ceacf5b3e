// What of a chart's samples a line does not show. No DOM here.

// Those without a neighbour: there is no line to either side of them.
export function lone_samples(values: ArrayLike<number | null | undefined>): number[] {
  const is_known = (at: number) => values[at] !== null && values[at] !== undefined;
  return Array.from({ length: values.length }, (_, at) => at)
    .filter((at) => is_known(at) && !is_known(at - 1) && !is_known(at + 1));
}
