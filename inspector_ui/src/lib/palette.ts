// What the palette offers for what is typed: by words that begin so, the best first. Pure.

export type Offer = { label: string; hint: string; go: string | (() => void) };

/** Offers that have every typed word; those where a word begins so come first. Without words: all. */
export function matching(offers: readonly Offer[], typed: string, most = 12): readonly Offer[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = offers.flatMap((offer, index) => {
    const text = `${offer.label} ${offer.hint}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) {
      return [];
    }
    const begins = words.filter((word) => new RegExp(`(^|[^\\p{L}\\p{N}])${escaped(word)}`, "u").test(text)).length;
    return [{ offer, rank: -begins * 1000 + index }];
  });
  return found
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map((one) => one.offer);
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
