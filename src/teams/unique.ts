/** Two commands of one name, or two buttons of one verb, would be a coin toss: refuse to start. */
export function unique<K extends string, T extends Readonly<Record<K, string>>>(
  key: K,
  all: readonly T[],
): readonly T[] {
  const seen = new Set<string>()
  for (const one of all) {
    if (seen.has(one[key])) throw new Error(`Two have the ${key} "${one[key]}"`)
    seen.add(one[key])
  }
  return all
}
