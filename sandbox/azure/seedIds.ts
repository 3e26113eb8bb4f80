import { parseResourceId, resourceName } from '../../src/link/resourceId.ts'
import { complain, matching, or, type Place } from './jsonPlace.ts'

/** How a seed file names resources: by whole ids, or by bare names where these can mean one thing only. */

export type Ids = {
  /** A resource group by its id, or by its name where there is but one subscription. */
  groupAt(place: Place): string
  /** The id of a resource that the file describes, spelled as its provider spells it. */
  idAt(of: Record<'id' | 'name' | 'resourceGroup', Place>, type: string, names: Names): string
  /** One of these ids by its last part, or any id in the subscriptions. */
  named(place: Place, ids: readonly string[], what: string): string
}

export type Names = { readonly pattern: RegExp; readonly what: string }

const groupId = '/subscriptions/…/resourceGroups/…'
const defaultGroup = 'sandbox'

export function idsWithin(subscriptions: readonly string[]): Ids {
  function known(place: Place, id: string): string {
    const subscription = id.split('/')[2] ?? ''
    if (id !== '' && !subscriptions.includes(subscription.toLowerCase()))
      complain(place, `is in subscription ${subscription}, which is not among subscriptions; add it there`)
    return id
  }

  const isId = ({ value }: Place): boolean => typeof value === 'string' && value.startsWith('/')

  function groupAt(place: Place): string {
    if (isId(place))
      return known(place, matching(place, /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i, groupId))
    const name = matching(place, /^[\w.()-]{1,90}$/, `a name of letters, digits and - _ . ( ), or ${groupId}`)
    if (subscriptions.length > 1)
      complain(place, `"${name}" could be in any of ${subscriptions.length} subscriptions; write ${groupId}`)
    return `/subscriptions/${subscriptions[0]}/resourceGroups/${name}`
  }

  return {
    groupAt,
    idAt({ id, name, resourceGroup }, type, names) {
      if (id.value === undefined) {
        const group = groupAt({ ...resourceGroup, value: resourceGroup.value ?? defaultGroup })
        return `${group}/providers/${type}/${matching(name, names.pattern, names.what)}`
      }
      for (const part of [name, resourceGroup])
        or(part, (place) => complain(place, 'is in the id already; leave it out'), undefined)
      const parsed = parseResourceId(String(id.value))
      const [segment = '', own = '', ...below] = parsed?.path ?? []
      const fits =
        parsed !== undefined &&
        below.length === 0 &&
        `${parsed.provider}/${segment}`.toLowerCase() === type.toLowerCase() &&
        names.pattern.test(own)
      const nothing = /(?!)/
      if (!fits) return matching(id, nothing, `${groupId}/providers/${type}/…, at its end ${names.what}`)
      const group = `/subscriptions/${parsed.subscription}/resourceGroups/${parsed.resourceGroup}`
      return known(id, `${group}/providers/${type}/${own}`)
    },
    named(place, ids, what) {
      if (isId(place))
        return known(place, matching(place, /^\/subscriptions\/[^/]+/i, `the name or id of ${what}`))
      const text = matching(place, /./, `the name or id of ${what}`)
      const found = ids.filter((id) => resourceName(id).toLowerCase() === text.toLowerCase())
      const [only] = found
      if (only !== undefined && found.length === 1) return only
      if (only !== undefined)
        complain(place, `"${text}" could be any of ${found.join(', ')}; write the id that is meant`)
      else if (text !== '') complain(place, `there is no ${text} here; write the name or id of ${what}`)
      return ''
    },
  }
}
