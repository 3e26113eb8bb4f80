import {
  elementsOf,
  flagAt,
  guidAt,
  matching,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
  timeAt,
} from './jsonPlace.ts'
import type { Resources } from './seedResources.ts'
import type { Lock, Registration } from './state.ts'

/** What the admins of a seed file's subscriptions have set: management locks, and which providers are registered. */

export const readLocks = (all: Place, { scopeAt }: Resources): Lock[] =>
  elementsOf(all).map((place) => {
    const of = membersOf(place, ['scope', 'name', 'level', 'notes'])
    const lock = {
      scope: scopeAt(of.scope),
      name: matching(of.name, /^[^/]{1,260}$/, 'a name without /'),
      level: oneOf(of.level, ['CanNotDelete', 'ReadOnly']),
    }
    return of.notes.value === undefined ? lock : { ...lock, notes: nameAt(of.notes) }
  })

/** Only what differs from the usual has to be said: providers are registered. */
export const readRegistrations = (all: Place, now: number): Registration[] =>
  elementsOf(all).map((place) => {
    const of = membersOf(place, ['subscription', 'namespace', 'registered', 'doneAt'])
    return {
      subscription: guidAt(of.subscription),
      namespace: matching(of.namespace, /^\w+\.\w+$/, 'a namespace such as "Microsoft.KeyVault"'),
      registered: flagAt(of.registered),
      done: or(of.doneAt, timeAt, now),
    }
  })
