/** Names that somebody may have meant. */

/** How many single-letter edits (swapped neighbours count as one) turn one text into the other. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1)
      rows[i]?.push(least)
    }
  }
  return at(a.length, b.length)
}

/** The `most` things whose names are most like `wrote`, likest first; a part of a name counts as like. */
export function nearest<T>(
  wrote: string,
  things: readonly T[],
  nameOf: (thing: T) => string,
  most: number,
): T[] {
  const meant = wrote.toLowerCase()
  const rank = (thing: T): number => {
    const name = nameOf(thing).toLowerCase()
    return name.includes(meant) || meant.includes(name) ? 0 : distance(meant, name)
  }
  return things
    .map((thing) => ({ thing, rank: rank(thing) }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ thing }) => thing)
}
