import { distance } from '../../link/names.ts'

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
