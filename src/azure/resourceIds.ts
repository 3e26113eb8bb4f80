/** The parts of an id that the clients ask for one by one. */
import { parseResourceId } from '../link/resourceId.ts'

export type Parts = {
  readonly subscription: string
  readonly group: string
  readonly name: string
  readonly child: string
}

/** The name of the error for what is no id: nothing that trying again could mend. */
export const invalidResourceId = 'InvalidResourceId'

/** Of `…/{type}/{name}` or `…/{type}/{name}/{type}/{child}`; an id that is neither names nothing in Azure. */
export function parts(id: string): Parts {
  const parsed = parseResourceId(id)
  if (!parsed) throw Object.assign(new Error(`Not a resource id: ${id}`), { name: invalidResourceId })
  const [, name = '', , child = ''] = parsed.path
  return { subscription: parsed.subscription, group: parsed.resourceGroup, name, child }
}
