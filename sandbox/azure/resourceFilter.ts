/** The `$filter` of the list of resources, as far as ARM documents it: comparisons joined by `and`. */

export type Listed = {
  readonly name: string
  readonly type: string
  readonly location: string
  readonly resourceGroup: string
  readonly tags: Readonly<Record<string, string>>
}

type Comparison = { readonly field: string; readonly equal: boolean; readonly value: string }

const comparison = String.raw`(resourceType|resourceGroup|name|location|tagName|tagValue)\s+(eq|ne)\s+'((?:[^']|'')*)'`
const whole = new RegExp(String.raw`^\s*${comparison}(\s+and\s+${comparison})*\s*$`, 'i')

/** Undefined when it is no filter that ARM would take; an empty one takes all. */
export function parseResourceFilter(text: string): readonly Comparison[] | undefined {
  if (text.trim() === '') return []
  if (!whole.test(text)) return undefined
  return [...text.matchAll(new RegExp(comparison, 'gi'))].map(([, field = '', operator, value = '']) => ({
    field: field.toLowerCase(),
    equal: operator?.toLowerCase() === 'eq',
    value: value.replaceAll("''", "'").toLowerCase(),
  }))
}

/** Whether a resource of that type could pass at all. */
export const wantsType = (filter: readonly Comparison[], type: string): boolean =>
  filter.every(
    ({ field, equal, value }) => field !== 'resourcetype' || (type.toLowerCase() === value) === equal,
  )

export function passes(filter: readonly Comparison[], one: Listed): boolean {
  const tagName = filter.find(({ field }) => field === 'tagname')?.value
  const values = (field: string): string[] => {
    switch (field) {
      case 'resourcetype':
        return [one.type]
      case 'resourcegroup':
        return [one.resourceGroup]
      case 'tagname':
        return Object.keys(one.tags)
      case 'tagvalue':
        return Object.entries(one.tags)
          .filter(([name]) => tagName === undefined || name.toLowerCase() === tagName)
          .map(([, value]) => value)
      default:
        return [field === 'name' ? one.name : one.location]
    }
  }
  return filter.every(
    ({ field, equal, value }) => values(field).some((given) => given.toLowerCase() === value) === equal,
  )
}
