// The rooms of docs/decisions.md: who may import whom.
const room = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: '^(src|sandbox|test|cards)/', pathNot: [from, ...allowed] },
})
const only = (name, packages, homes) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: homes },
  to: { path: packages.map((p) => `node_modules/${p}`) },
})

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'the-core-imports-nothing',
      severity: 'error',
      comment: 'src/link is pure: no npm, no node, no other room',
      from: { path: '^src/link/' },
      to: { pathNot: '^src/link/' },
    },
    room('engine-knows-link', '^src/engine/', ['^src/link/']),
    room('azure-knows-link-and-ports', '^src/azure/', ['^src/link/', '^src/engine/ports\\.ts$']),
    room('teams-knows-link-and-ports', '^src/teams/', ['^src/link/', '^src/engine/ports\\.ts$', '^cards/']),
    room('store-knows-link-and-ports', '^src/store/', ['^src/link/', '^src/engine/ports\\.ts$']),
    room('audit-knows-link-and-store', '^src/audit/', [
      '^src/link/',
      '^src/engine/ports\\.ts$',
      '^src/store/',
      '^src/config\\.ts$',
      '^src/requireNode\\.js$',
    ]),
    room('migrate-knows-store', '^src/migrate/', ['^src/store/', '^src/requireNode\\.js$']),
    room('sandbox-knows-resource-ids', '^sandbox/', ['^src/link/resourceId\\.ts$']),
    {
      name: 'src-knows-no-sandbox',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(sandbox|test)/' },
    },
    only(
      'botbuilder-and-restify-in-teams',
      ['botbuilder', 'botframework', 'restify', 'adaptivecards-templating', 'adaptive-expressions'],
      ['^src/teams/'],
    ),
    only('azure-clients-in-azure', ['@azure/arm-', '@azure/core-'], ['^src/azure/']),
    only('credentials-in-join', ['@azure/identity'], ['^src/azure/', '^src/join\\.ts$']),
    only('databases-in-store', ['kysely', 'pg'], ['^src/store/']),
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
