/** The command that somebody probably meant: by the first word's spelling, else by a command's word further on. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const words = text
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '' && word.length <= 20)
    .slice(0, 30)
  const [first] = words
  if (first === undefined) return undefined
  const ranked = names
    .map((name) => ({ name, far: distance(first, name) }))
    .sort((a, b) => a.far - b.far)
    // A short word may differ in one letter, a longer one in two.
    .filter(({ name, far }) => far <= (name.length <= 4 ? 1 : 2))
  return ranked[0]?.name ?? names.find((name) => words.includes(name))
}

/** Edit distance with neighbours swapped counting once (optimal string alignment). */
export function distance(a: string, b: string): number {
  const from = Array.from(a)
  const to = Array.from(b)
  let before: number[] = []
  let last = to.map((_, index) => index)
  last.push(to.length)
  for (const [i, letter] of from.entries()) {
    const row = [i + 1]
    for (const [j, other] of to.entries()) {
      const same = letter === other ? 0 : 1
      const swapped =
        i > 0 && j > 0 && letter === to[j - 1] && from[i - 1] === other
          ? (before[j - 1] ?? Number.POSITIVE_INFINITY) + 1
          : Number.POSITIVE_INFINITY
      row.push(Math.min((row[j] ?? 0) + 1, (last[j + 1] ?? 0) + 1, (last[j] ?? 0) + same, swapped))
    }
    before = last
    last = row
  }
  return last[to.length] ?? 0
}
