/** The Azure CLI as people have it, set against the local Azure as a custom cloud over TLS. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { member } from '../../sandbox/azure/routes.ts'
import type { Azure } from '../../sandbox/azure/server.ts'
import { bot, directory, type PersonKey, people, tenantId } from '../../sandbox/seed.ts'
import { linkPath, signalrPath, vaultPath } from '../sandbox-azure/clients.ts'
import { createRecorder, type Recorder, type Step, until } from './record.ts'

const run = promisify(execFile)

/** Nobody waits longer for one command: the slowest polls every ten seconds. */
const deadlineMs = 120_000

/** The version, or undefined where there is no Azure CLI. */
export async function azureCliVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('az', ['version', '-o', 'json'], { timeout: deadlineMs })
    return String(member(JSON.parse(stdout), 'azure-cli'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

type Answer = { readonly value: unknown; readonly stderr: string }
/** Somebody at a terminal: signed in, with a profile of the CLI. */
type Terminal = {
  az(...args: string[]): Promise<Answer>
  /** The same, when Azure must refuse: what it said. */
  refused(...args: string[]): Promise<string>
}

/** `az network` works in Debian's build under this profile alone, `az keyvault` and `az signalr` not under it. */
const profiles = { network: '2020-09-01-hybrid', latest: 'latest' } as const

const link = 'kv-pe'
const apiVersion = '2021-06-01-preview'

export async function runAzureCli(
  azure: Azure,
  version: string,
  onStep: (step: Step) => void,
): Promise<void> {
  if (!azure.tls) throw new Error('The Azure CLI needs TLS')
  const { url, ca } = azure.tls
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-az-'))
  const recorder = createRecorder(azure, `Azure CLI ${version}`, onStep)
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, ca)

  function terminal(name: string): Terminal {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      AZURE_CONFIG_DIR: join(folder, name),
      AZURE_CORE_COLLECT_TELEMETRY: 'false',
      AZURE_CORE_NO_COLOR: 'true',
      REQUESTS_CA_BUNDLE: caFile,
    }
    const call = (args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
      run('az', [...args, '-o', 'json'], { env, timeout: deadlineMs, maxBuffer: 16 * 1024 * 1024 })
    return {
      async az(...args) {
        const { stdout, stderr } = await call(args)
        const value: unknown = stdout.trim() === '' ? undefined : JSON.parse(stdout)
        return { value, stderr }
      },
      async refused(...args) {
        try {
          await call(args)
        } catch (error) {
          if (error instanceof Error && 'stderr' in error) return String(error.stderr)
          throw error
        }
        throw new Error('It was let through')
      },
    }
  }

  async function signedIn(who: PersonKey | 'bot', profile: keyof typeof profiles): Promise<Terminal> {
    const name = `${who}-${profile}`
    await mkdir(join(folder, name))
    const one = terminal(name)
    await recorder.step(
      `az cloud register --name sandbox --endpoint-resource-manager ${url} (profile ${profile})`,
      async () => {
        await one.az(
          'cloud',
          'register',
          '--name',
          'sandbox',
          '--endpoint-resource-manager',
          url,
          '--profile',
          profiles[profile],
          '--suffix-keyvault-dns',
          '.vault.azure.net',
        )
        await one.az('cloud', 'set', '--name', 'sandbox')
        return 'one address is enough'
      },
    )
    const user =
      who === 'bot'
        ? bot.appId
        : (directory.people.find(({ objectId }) => objectId === people[who].objectId)?.userPrincipalName ??
          '')
    const how =
      who === 'bot'
        ? ['--service-principal', '--username', user, '--password', bot.secret, '--tenant', tenantId]
        : ['--username', user, '--password', 'sandbox-password']
    await recorder.step(
      `az login ${who === 'bot' ? '--service-principal ' : ''}--username ${user}`,
      async () => {
        const { value } = await one.az('login', ...how)
        assert.ok(Array.isArray(value) && value.length > 0)
        return `signed in, sees ${value.map((seen) => member(seen, 'name')).join(' and ')}`
      },
    )
    return one
  }

  try {
    await play(azure, recorder, signedIn, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function play(
  azure: Azure,
  { step }: Recorder,
  signedIn: (who: PersonKey | 'bot', profile: keyof typeof profiles) => Promise<Terminal>,
  folder: string,
): Promise<void> {
  const url = azure.tls?.url ?? ''
  const requester = await signedIn('requester', 'latest')
  const owner = await signedIn('owner', 'network')
  const outsider = await signedIn('outsider', 'network')

  // ---- the documentation's page, from its first command to its last ------------------------------------
  const linkUrl = `${url}${linkPath(link)}?api-version=${apiVersion}`
  const body = join(folder, 'create-pe.json')
  await writeFile(
    body,
    JSON.stringify({
      name: 'contoso-kv',
      properties: { privateLinkResourceId: vaultPath(), groupId: 'vault', requestMessage: 'please approve' },
    }),
  )
  let operation = ''
  await step(
    `az rest --method put --uri …/sharedPrivateLinkResources/${link}?api-version=${apiVersion} --body @create-pe.json`,
    async () => {
      const { value, stderr } = await requester.az(
        'rest',
        '--method',
        'put',
        '--uri',
        linkUrl,
        '--body',
        `@${body}`,
        '--verbose',
      )
      operation = /'azure-asyncoperation': '([^']+)'/i.exec(stderr)?.[1] ?? ''
      assert.ok(
        operation.startsWith(`${url}/`),
        'the Azure-AsyncOperation is below the address that the client knows',
      )
      return `${state(value)}, Azure-AsyncOperation in the answer`
    },
  )
  await step('az rest --method get --uri <Azure-AsyncOperation>', async () => {
    const status = await until('Succeeded', async () => {
      const { value } = await requester.az('rest', '--method', 'get', '--uri', operation)
      const now = member(value, 'status')
      assert.ok(now === 'Running' || now === 'Succeeded', `the operation is ${now}`)
      return now === 'Succeeded' ? now : undefined
    })
    return `Running, then ${status}`
  })
  let connection = ''
  const listed = [
    'network',
    'private-endpoint-connection',
    'list',
    '-n',
    'contoso-kv',
    '-g',
    'contoso',
    '--type',
    'Microsoft.KeyVault/vaults',
  ]
  await step(`az ${listed.join(' ')}`, async () => {
    const pending = await until('the connection', async () => {
      const { value } = await owner.az(...listed)
      return Array.isArray(value) && value.length > 0 ? value[0] : undefined
    })
    connection = String(member(pending, 'id'))
    return decision(pending, 'Pending', 'please approve')
  })
  const decide = (verb: string): string[] => [
    'network',
    'private-endpoint-connection',
    verb,
    '--id',
    connection,
  ]
  await step(
    'az network private-endpoint-connection approve --id <id> (by somebody who may not)',
    async () => {
      const said = await outsider.refused(...decide('approve'))
      assert.match(said, /AuthorizationFailed/)
      return 'AuthorizationFailed'
    },
  )
  await step('az network private-endpoint-connection approve --id <id>', async () =>
    decision((await owner.az(...decide('approve'))).value, 'Approved'),
  )
  await step(
    "az rest --method get --uri …/sharedPrivateLinkResources/func-pe (the page's own slip)",
    async () => {
      const said = await requester.refused(
        'rest',
        '--method',
        'get',
        '--uri',
        linkUrl.replace(link, 'func-pe'),
      )
      assert.match(said, /ResourceNotFound/)
      return 'ResourceNotFound'
    },
  )
  await step(`az rest --method get --uri …/sharedPrivateLinkResources/${link}`, async () =>
    until('Approved on SignalR', async () => {
      const { value } = await requester.az('rest', '--method', 'get', '--uri', linkUrl)
      return member(member(value, 'properties'), 'status') === 'Approved' ? state(value) : undefined
    }),
  )

  // ---- what else the CLI does with a connection --------------------------------------------------------
  await step('az network private-endpoint-connection show --id <id>', async () =>
    decision((await owner.az(...decide('show'))).value, 'Approved'),
  )
  await step('az network private-endpoint-connection reject --id <id> --description …', async () =>
    decision(
      (await owner.az(...decide('reject'), '--description', 'not this one')).value,
      'Rejected',
      'not this one',
    ),
  )
  azure.rights.grant(people.owner.objectId, 'contributor', vaultPath())
  await step('az network private-endpoint-connection delete --id <id> --yes', async () => {
    await owner.az(...decide('delete'), '--yes')
    await until('the connection gone', async () =>
      azure.connections('contoso-kv').length === 0 ? true : undefined,
    )
    return 'gone'
  })

  // ---- a shared private link resource by `az resource`, with its poller --------------------------------
  const id = linkPath('by-resource')
  azure.rights.grant(people.requester.objectId, 'reader', vaultPath().split('/').slice(0, 5).join('/'))
  azure.rights.grant(people.requester.objectId, 'reader', vaultPath().split('/').slice(0, 3).join('/'))
  await step('az resource create --id …/sharedPrivateLinkResources/by-resource --properties …', async () => {
    const properties = JSON.stringify({
      privateLinkResourceId: vaultPath(),
      groupId: 'vault',
      requestMessage: 'by az resource',
    })
    const { value } = await requester.az('resource', 'create', '--id', id, '--properties', properties)
    return state(value, 'Succeeded')
  })
  await step('az resource wait --created --ids …', async () => {
    await requester.az('resource', 'wait', '--created', '--interval', '1', '--timeout', '30', '--ids', id)
    return 'created'
  })
  await step('az resource show --ids …', async () =>
    state((await requester.az('resource', 'show', '--ids', id)).value, 'Succeeded'),
  )
  await step('az resource list -g contoso', async () => {
    const { value } = await requester.az('resource', 'list', '-g', 'contoso')
    assert.ok(Array.isArray(value) && value.some((one) => member(one, 'name') === 'contoso-signalr'))
    return `${value.length} resources`
  })

  // ---- az keyvault private-endpoint-connection ---------------------------------------------------------
  const keeper = await signedIn('owner', 'latest')
  const { name } = await until('the connection', async () => azure.connections('contoso-kv')[0])
  const onVault = (verb: string): string[] => [
    'keyvault',
    'private-endpoint-connection',
    verb,
    '-g',
    'contoso',
    '--vault-name',
    'contoso-kv',
    '-n',
    name,
  ]
  const shown = (verb: string): string =>
    `az keyvault private-endpoint-connection ${verb} -g contoso --vault-name contoso-kv -n <name>`
  await step(shown('show'), async () =>
    flatDecision((await keeper.az(...onVault('show'))).value, 'Pending', 'by az resource'),
  )
  await step(`${shown('approve')} --description …`, async () =>
    flatDecision((await keeper.az(...onVault('approve'), '--description', 'fine')).value, 'Approved', 'fine'),
  )
  await step(`${shown('wait')} --created`, async () => {
    await keeper.az(...onVault('wait'), '--created')
    return 'Succeeded'
  })
  await step(`${shown('reject')} --description …`, async () =>
    flatDecision(
      (await keeper.az(...onVault('reject'), '--description', 'after all')).value,
      'Rejected',
      'after all',
    ),
  )
  await step(shown('delete'), async () => {
    await keeper.az(...onVault('delete'))
    await until('the connection gone', async () =>
      azure.connections('contoso-kv').length === 0 ? true : undefined,
    )
    return 'gone'
  })

  // ---- lists, and the end ------------------------------------------------------------------------------
  await step('az signalr list', async () =>
    names((await requester.az('signalr', 'list')).value, 'contoso-signalr'),
  )
  await step('az signalr show -n contoso-signalr -g contoso', async () => {
    const { value } = await requester.az('signalr', 'show', '-n', 'contoso-signalr', '-g', 'contoso')
    assert.equal(member(value, 'provisioningState'), 'Succeeded')
    return 'Succeeded'
  })
  await step('az resource list --resource-type Microsoft.SignalRService/SignalR', async () =>
    names(
      (await requester.az('resource', 'list', '--resource-type', 'Microsoft.SignalRService/SignalR')).value,
      'contoso-signalr',
    ),
  )
  await step('az keyvault list --resource-type vault', async () =>
    names((await keeper.az('keyvault', 'list', '--resource-type', 'vault')).value, 'contoso-kv'),
  )
  await step('az keyvault list -g contoso', async () =>
    names((await keeper.az('keyvault', 'list', '-g', 'contoso')).value, 'contoso-kv'),
  )
  await step('az keyvault show -n contoso-kv', async () => {
    const { value } = await keeper.az('keyvault', 'show', '-n', 'contoso-kv')
    assert.equal(member(value, 'id'), vaultPath())
    return 'found by its name'
  })
  await step('az resource delete --ids …/sharedPrivateLinkResources/by-resource', async () => {
    await requester.az('resource', 'delete', '--ids', id)
    assert.ok(!azure.links().some((one) => one.id.endsWith('/by-resource')), 'the link is still there')
    return 'gone when the command ends'
  })

  // ---- locks, deleted vaults, providers ----------------------------------------------------------------
  const group = vaultPath().split('/providers/')[0] ?? ''
  azure.rights.grant(people.owner.objectId, 'owner', group)
  azure.rights.grant(people.owner.objectId, 'reader', group.split('/resourceGroups/')[0] ?? '')
  azure.rights.grant(people.owner.objectId, 'contributor', group.split('/resourceGroups/')[0] ?? '')
  const lock = [
    '--name',
    'keep',
    '-g',
    'contoso',
    '--resource',
    'contoso-certs',
    '--resource-type',
    'Microsoft.KeyVault/vaults',
  ]
  await step('az lock create --lock-type CanNotDelete --name keep --resource contoso-certs …', async () => {
    const { value } = await keeper.az('lock', 'create', '--lock-type', 'CanNotDelete', ...lock)
    assert.equal(member(value, 'level'), 'CanNotDelete')
    return 'CanNotDelete'
  })
  await step('az keyvault delete -n contoso-certs (locked)', async () => {
    assert.match(await keeper.refused('keyvault', 'delete', '-n', 'contoso-certs'), /ScopeLocked/)
    return 'ScopeLocked'
  })
  await step('az lock list -g contoso', async () =>
    names((await keeper.az('lock', 'list', '-g', 'contoso')).value, 'keep'),
  )
  await step('az lock delete --name keep --resource contoso-certs …', async () => {
    await keeper.az('lock', 'delete', ...lock)
    return 'gone'
  })
  await step('az keyvault delete -n contoso-certs', async () => {
    await keeper.az('keyvault', 'delete', '-n', 'contoso-certs')
    return 'deleted'
  })
  await step('az keyvault list-deleted --resource-type vault', async () =>
    names((await keeper.az('keyvault', 'list-deleted', '--resource-type', 'vault')).value, 'contoso-certs'),
  )
  await step('az keyvault recover -n contoso-certs', async () => {
    await keeper.az('keyvault', 'recover', '-n', 'contoso-certs')
    const { value } = await keeper.az('keyvault', 'show', '-n', 'contoso-certs', '-g', 'contoso')
    assert.equal(member(value, 'name'), 'contoso-certs')
    return 'there again'
  })
  await step('az keyvault delete and purge -n contoso-certs', async () => {
    await keeper.az('keyvault', 'delete', '-n', 'contoso-certs')
    await keeper.az('keyvault', 'purge', '-n', 'contoso-certs')
    const { value } = await keeper.az('keyvault', 'list-deleted', '--resource-type', 'vault')
    assert.deepEqual(value, [])
    return 'gone for good'
  })
  await step('az provider show -n Microsoft.SignalRService', async () => {
    const { value } = await keeper.az('provider', 'show', '-n', 'Microsoft.SignalRService')
    return String(member(value, 'registrationState'))
  })
  await step('az provider unregister and register -n Microsoft.KeyVault', async () => {
    await keeper.az('provider', 'unregister', '-n', 'Microsoft.KeyVault')
    const { value } = await keeper.az('provider', 'show', '-n', 'Microsoft.KeyVault')
    const before = String(member(value, 'registrationState'))
    await keeper.az('provider', 'register', '-n', 'Microsoft.KeyVault')
    const { value: after } = await keeper.az('provider', 'show', '-n', 'Microsoft.KeyVault')
    return `${before}, then ${member(after, 'registrationState')}`
  })

  const robot = await signedIn('bot', 'latest')
  await step('az signalr show (by a service principal)', async () => {
    const { value } = await robot.az('signalr', 'show', '--ids', signalrPath)
    return `finds ${member(value, 'name')}`
  })
}

/** A link as ARM shows it: `Creating, Pending`. */
function state(value: unknown, provisioning?: string): string {
  const properties = member(value, 'properties')
  const [is, status] = [member(properties, 'provisioningState'), member(properties, 'status')]
  assert.equal(typeof is, 'string')
  if (provisioning !== undefined) assert.equal(is, provisioning)
  return `${is}, ${status}`
}

function checkDecision(state: unknown, status: string, description: string | undefined): string {
  assert.equal(member(state, 'status'), status)
  if (description !== undefined) assert.equal(member(state, 'description'), description)
  return status
}

const decision = (value: unknown, status: string, description?: string): string =>
  checkDecision(member(member(value, 'properties'), 'privateLinkServiceConnectionState'), status, description)

/** As the management SDK shows it, without `properties` around it. */
const flatDecision = (value: unknown, status: string, description?: string): string =>
  checkDecision(member(value, 'privateLinkServiceConnectionState'), status, description)

function names(value: unknown, wanted: string): string {
  assert.ok(
    Array.isArray(value) && value.some((one) => member(one, 'name') === wanted),
    `no ${wanted} in the list`,
  )
  return `${value.length} found`
}
