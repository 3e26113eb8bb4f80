import { createHash } from 'node:crypto'
import {
  allDiffer,
  elementsOf,
  flagAt,
  guid,
  guidAt,
  matching,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
  textAt,
} from './jsonPlace.ts'
import { type Application, type Group, type Person, signInOf } from './state.ts'

/** The people, groups and applications of a seed file. */

export type Directory = {
  readonly people: Readonly<Record<string, Person>>
  readonly groups: Readonly<Record<string, Group>>
  readonly applications: Readonly<Record<string, Application>>
  /** The object id of the one that the place names. */
  principalAt(place: Place): string
}

/** The same for the same name at every start, so that a file need not say it. */
function guidFor(kind: string, name: string): string {
  const hex = createHash('sha256').update(`${kind} ${name}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

type Listed<T> = { readonly name: string; readonly place: Place; readonly one: T }

const listed = <T, Name extends string>(
  all: Place,
  names: readonly Name[],
  read: (of: Record<Name, Place>, name: string) => T,
): Listed<T>[] =>
  elementsOf(all).map((place) => {
    const { name: namePlace, ...of } = membersOf<Name | 'name'>(place, ['name', ...names])
    const name = nameAt(namePlace)
    return { name, place, one: read(of as Record<Name, Place>, name) }
  })

const named = <T>(all: readonly Listed<T>[]): Record<string, T> =>
  Object.fromEntries(all.map(({ name, one }) => [name, one]))

export function readDirectory(of: Record<'people' | 'groups' | 'applications', Place>): Directory {
  const people = listed(
    of.people,
    ['objectId', 'displayName', 'guest', 'userPrincipalName', 'password'],
    (one, name): Person => ({
      objectId: or(one.objectId, guidAt, guidFor('person', name)),
      displayName: or(one.displayName, textAt, name),
      guest: or(one.guest, flagAt, false),
      userPrincipalName: or(one.userPrincipalName, nameAt, signInOf(name).userPrincipalName),
      password: or(one.password, nameAt, signInOf(name).password),
    }),
  )
  const applications = listed(
    of.applications,
    ['appId', 'objectId', 'displayName', 'secret', 'managedIdentity'],
    (one, name): Application => ({
      appId: or(one.appId, guidAt, guidFor('application', name)),
      objectId: or(one.objectId, guidAt, guidFor('service principal', name)),
      displayName: or(one.displayName, textAt, name),
      secret: or<string | undefined>(one.secret, nameAt, undefined),
      managedIdentity: or(one.managedIdentity, flagAt, false),
    }),
  )
  // Somebody has to be there: a file that names nobody gets an admin.
  if (of.people.value === undefined && of.applications.value === undefined) {
    const name = 'admin'
    const one = { objectId: guidFor('person', name), displayName: name, guest: false, ...signInOf(name) }
    people.push({ name, place: of.people, one })
  }
  const members = [...new Set([...people, ...applications].map(({ name }) => name))].filter(Boolean)
  const groups = listed(
    of.groups,
    ['objectId', 'members'],
    (one, name): Group => ({
      objectId: or(one.objectId, guidAt, guidFor('group', name)),
      members: elementsOf(one.members).map((place) => oneOf(place, members)),
    }),
  )
  const all = [...people, ...groups, ...applications]
  allDiffer(
    'name',
    all.map(({ name, place }) => ({ place, key: name })),
  )
  // Of one name it is said already.
  const first = new Map(all.toReversed().map((one) => [one.name, one]))
  allDiffer(
    'objectId',
    [...first.values()].toReversed().map(({ place, one }) => ({ place, key: one.objectId })),
  )
  const ids = new Map(all.map(({ name, one }) => [name, one.objectId]))
  return {
    people: named(people),
    groups: named(groups),
    applications: named(applications),
    principalAt(place) {
      const id = ids.get(String(place.value))
      if (id !== undefined) return id
      const names = [...ids.keys()].filter(Boolean).join(', ')
      return matching(place, guid, `one of ${names}, or an object id`).toLowerCase()
    },
  }
}
