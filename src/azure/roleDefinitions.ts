/**
 * What roles allow, read for each question anew: whoever edits a role takes or gives rights as much as whoever ends or
 * makes an assignment.
 */
import type { Permission } from './grants.ts'

export type ReadRole = (role: string, signal: AbortSignal) => Promise<readonly Permission[]>

/** Answers questions that need roles. Asked many at once, as about all people of a channel, they share each read that begins after them. */
export function createRoleDefinitions(
  read: ReadRole,
): <T>(question: (role: ReadRole) => Promise<T>) => Promise<T> {
  const reads = new Map<
    string,
    { readonly begun: number; readonly permissions: Promise<readonly Permission[]> }
  >()
  let moment = 0
  let open = 0
  return async (question) => {
    moment += 1
    const asked = moment
    open += 1
    try {
      return await question((role, signal) => {
        const key = role.toLowerCase()
        const known = reads.get(key)
        if (known && known.begun > asked) return known.permissions
        const permissions = read(role, signal)
        moment += 1
        reads.set(key, { begun: moment, permissions })
        return permissions
      })
    } finally {
      open -= 1
      if (open === 0) reads.clear()
    }
  }
}
