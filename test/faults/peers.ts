/** All whom the bot calls: the local ones, each behind a proxy of its own. */
import { readFile } from 'node:fs/promises'
import tls from 'node:tls'
import { armWording } from '../../sandbox/azure/faults.ts'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import type { Settings } from '../../sandbox/azure/switches.ts'
import { makeServerCertificate } from '../../sandbox/entra/certificates.ts'
import type { Fault } from '../../sandbox/proxy/fault.ts'
import { openProxy, type PeerProxy } from '../../sandbox/proxy/proxy.ts'
import type { Wired } from '../../sandbox/proxy/wire.ts'
import { approver, assignments, bot, directory, people } from '../../sandbox/seed.ts'
import { connectorWording } from '../../sandbox/teams/faults.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { group, type Pair, pair, pairs } from '../pairs.ts'

/** `identity`: where the managed identity's tokens come from. `login`: the bot's own for Teams. `entra`: people's, exchanged. */
export const peerNames = ['arm', 'identity', 'login', 'entra', 'teams'] as const
export type PeerName = (typeof peerNames)[number]

export type Peers = {
  readonly azure: Azure
  readonly teams: Teams
  readonly proxies: Readonly<Record<PeerName, PeerProxy>>
  /** What tells the bot where its managed identity's tokens come from. */
  readonly identity: Readonly<Record<string, string>>
  /** A SignalR and a vault that nobody has used. */
  fresh(): Promise<Pair>
  close(): Promise<void>
}

const second = 1_000
/** Long enough that there is something to wait for, and no longer: each look is calls. */
export const pace: Partial<Settings> = {
  provisioningMs: 6 * second,
  appearsMs: 2 * second,
  settlesMs: 8 * second,
  propagatesMs: 12 * second,
  deletingMs: 5 * second,
  throttle: false,
}

/** Teams keeps all that was ever said, so it begins anew after so many. */
const count = 60
const seed = {
  ...pairs(count),
  assignments: [
    ...assignments,
    { principalId: people.owner.objectId, role: 'vaultApprover' as const, scope: group },
  ],
}

/** Entra's words, and those of a managed identity's endpoint, which are enough alike. */
const entraWording = (fault: Fault): Wired => {
  const status = fault.status ?? 500
  const error =
    fault.code ?? (status === 429 || status >= 500 ? 'temporarily_unavailable' : 'invalid_request')
  const body = { error, error_description: fault.message ?? 'AADSTS90033: A transient error has occurred.' }
  return {
    status,
    headers: { 'content-type': 'application/json', ...fault.headers },
    body: Buffer.from(JSON.stringify(body)),
  }
}

export async function openPeers(): Promise<Peers> {
  const certificate = await makeServerCertificate()
  tls.setDefaultCACertificates([...tls.getCACertificates(), certificate.ca])
  const proxies = {
    arm: await openProxy({ wording: armWording }),
    identity: await openProxy({ wording: entraWording }),
    login: await openProxy({ wording: entraWording, tls: certificate }),
    entra: await openProxy({ wording: entraWording, tls: certificate }),
    teams: await openProxy({ wording: connectorWording }),
  }
  // The identity's library remembers for the process where it asks: so that is one for all.
  const home = await startAzure({ directory })
  proxies.identity.leadsTo(home.url)
  const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '' } = home.identity.environment
  let local: { azure: Azure; teams: Teams } | undefined
  let used = count

  const begin = async (): Promise<{ azure: Azure; teams: Teams }> => {
    await Promise.all([local?.azure.close(), local?.teams.close()])
    const [azure, teams] = await Promise.all([
      startAzure({
        ...pace,
        seed,
        tlsPort: 0,
        directory,
      }),
      startTeams({ signed: true, throttle: false, reachedAt: proxies.teams.url, secret: bot.secret }),
    ])
    proxies.arm.leadsTo(azure.url)
    proxies.entra.leadsTo(azure.tls?.url ?? '', azure.tls?.ca)
    proxies.login.leadsTo(
      teams.identity?.authority.replace(/\/[^/]+$/, '') ?? '',
      await readFile(teams.identity?.caFile ?? '', 'utf8'),
    )
    proxies.teams.leadsTo(teams.url)
    teams.configure({ entra: azure.url })
    for (const { objectId } of Object.values(people)) azure.identity.consent(objectId, approver.uri)
    return { azure, teams }
  }
  local = await begin()
  used = 0
  const standing = (): { azure: Azure; teams: Teams } => {
    if (!local) throw new Error('There is nothing')
    return local
  }
  return {
    get azure() {
      return standing().azure
    },
    get teams() {
      return standing().teams
    },
    proxies,
    identity: {
      IDENTITY_ENDPOINT: IDENTITY_ENDPOINT.replace(home.url, proxies.identity.url),
      IDENTITY_HEADER,
    },
    async fresh() {
      if (used === count) {
        local = await begin()
        used = 0
      }
      return pair(used++)
    },
    async close() {
      await Promise.all([home.close(), local?.azure.close(), local?.teams.close()])
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()))
    },
  }
}
