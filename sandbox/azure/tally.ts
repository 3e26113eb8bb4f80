/** What came of holding replies against the OpenAPI files: a reply's, a sandbox's, a whole run's. */
export type Tally = {
  /** How many operations the files describe. */
  documented: number
  /** Replies to documented operations: `<operation> <status>`, and ` polled` for those at a long one's `Location`. */
  answers: Counts
  /** Replies to what the files do not describe. */
  undescribed: number
  deviations: Counts
  /** Bodies sent to documented operations, and what did not fit in them: the caller's business. */
  requests: Counts
  misfits: Counts
}
type Counts = Record<string, number>

export const emptyTally = (documented = 0): Tally => ({
  documented,
  answers: {},
  undescribed: 0,
  deviations: {},
  requests: {},
  misfits: {},
})

/** Adds one tally to another. */
export function add(sum: Tally, more: Readonly<Tally>): void {
  sum.documented = Math.max(sum.documented, more.documented)
  sum.undescribed += more.undescribed
  for (const part of ['answers', 'deviations', 'requests', 'misfits'] as const)
    for (const [name, count] of Object.entries(more[part])) sum[part][name] = (sum[part][name] ?? 0) + count
}

/** The operations that have answered. */
export const answered = ({ answers }: Tally): string[] => [
  ...new Set(Object.keys(answers).map((answer) => answer.split(' ', 1)[0] ?? answer)),
]
