import type { Role } from './state.ts'

/** Azure's own roles that are in every world, under Azure's own ids. */
export const builtInRoles: readonly Role[] = [
  {
    key: 'owner',
    guid: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    name: 'Owner',
    builtIn: true,
    actions: ['*'],
    notActions: [],
  },
  {
    key: 'contributor',
    guid: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
    name: 'Contributor',
    builtIn: true,
    actions: ['*'],
    notActions: ['Microsoft.Authorization/*/Delete', 'Microsoft.Authorization/*/Write'],
  },
  {
    key: 'reader',
    guid: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    name: 'Reader',
    builtIn: true,
    actions: ['*/read'],
    notActions: [],
  },
]
