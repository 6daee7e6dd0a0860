/**
 * The part of the zoo that needs no training: counts of what followed the last `order` bytes, each order smoothed with the one
 * below by Witten and Bell's rule (1991): λ = n / (n + t), n the times that the context was seen, t how many bytes
 * followed it; below order 0 all bytes are equal.
 * @param {string} text to count in
 * @param {{ context: string, next: string }[]} cases to predict
 * @param {number} most the highest order
 * @param {number} symbols how many bytes there are
 * @returns {number[]} bits per byte for the orders −1 (all equal) to `most`
 */
export function scoreNgrams(text, cases, most, symbols) {
  const bits = Array.from({ length: most + 2 }, () => 0);
  const tables = Array.from({ length: most + 1 }, (_, order) => countAfter(text, order));
  for (const { context, next } of cases) {
    let p = 1 / symbols;
    bits[0] -= Math.log2(p);
    tables.forEach((table, order) => {
      const seen = table.get(context.slice(context.length - order));
      if (seen) p = ((seen.next.get(next) ?? 0) + seen.next.size * p) / (seen.n + seen.next.size);
      bits[order + 1] -= Math.log2(p);
    });
  }
  return bits.map((sum) => sum / cases.length);
}

function countAfter(text, order) {
  const table = new Map();
  for (let at = order; at < text.length; at++) {
    const context = text.slice(at - order, at);
    const seen = table.get(context) ?? { n: 0, next: new Map() };
    table.set(context, seen);
    seen.n++;
    seen.next.set(text[at], (seen.next.get(text[at]) ?? 0) + 1);
  }
  return table;
}
