/** The parts of an id that the clients ask for one by one. */
import { parseResourceId } from '../link/resourceId.ts'

export type Parts = { readonly subscription: string; readonly group: string; readonly name: string; readonly child: string }

/** Of `…/{type}/{name}` or `…/{type}/{name}/{type}/{child}`; an id that is neither names nothing in Azure. */
export function parts(id: string): Parts {
  const parsed = parseResourceId(id)
  if (!parsed) throw new Error(`Not a resource id: ${id}`)
  const [, name = '', , child = ''] = parsed.path
  return { subscription: parsed.subscription, group: parsed.resourceGroup, name, child }
}
