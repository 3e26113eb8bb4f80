/** The bot as `src/join.ts` joins it, in this process, so that its clock can be turned and its rest be seen. */
import { approver, bot as identity, tenantId } from '../../sandbox/seed.ts'
import { systemClock } from '../../src/clock.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Log, Store } from '../../src/engine/ports.ts'
import { join } from '../../src/join.ts'
import { errorFields } from '../../src/log.ts'
import { openStore } from '../../src/store/openStore.ts'
import { publicCloud } from '../../src/teams/publicCloud.ts'
import type { Peers } from './peers.ts'

export type Line = { readonly level: string; readonly event: string } & Readonly<Record<string, unknown>>
export type ApproveAs = 'bot' | 'approver'
export type RunningBot = {
  readonly store: Store
  readonly log: readonly Line[]
  /** How much of it is under way. */
  busy(): number
  /** Whether nothing is left to do for that link now, to Azure or to Teams. */
  isAtRest(id: string): Promise<boolean>
  stop(): Promise<void>
}

export async function runBot(
  peers: Peers,
  options: { approveAs: ApproveAs; moved: () => void },
): Promise<RunningBot> {
  const { teams } = peers
  const asApprover = options.approveAs === 'approver'
  let underWay = 0
  /** Counts what has begun and not ended. */
  const counted = async <T>(work: Promise<T>): Promise<T> => {
    underWay += 1
    options.moved()
    try {
      return await work
    } finally {
      underWay -= 1
      options.moved()
    }
  }
  const lines: Line[] = []
  const log: Log = (level, event, fields = {}, error) => {
    lines.push({ level, event, ...fields, ...(error !== undefined && errorFields(error)) })
  }
  const clock = systemClock()
  const store = watched(await openStore({ url: ':memory:' }), counted)
  Object.assign(process.env, peers.identity)
  const { journal, url, leave } = await join(configOf(peers, asApprover), {
    machine: clock,
    clock,
    store,
    log,
    watch: counted,
  })
  teams.connect(`${url}/api/messages`)
  return {
    store,
    log: lines,
    busy: () => underWay,
    async isAtRest(id) {
      const row = await store.get(id)
      if (!row) return false
      const plan = journal.planFor(row.link, row)
      const failing = Object.values(row.link.told).some((told) => told?.is === 'failed')
      return !plan.azure && !plan.passed && plan.messages.length === 0 && !failing && !row.lease
    },
    async stop() {
      await leave()
      await store.close()
    },
  }
}

/** As production has it when nothing more is set; sandbox mode lets it speak to this machine. */
const configOf = ({ proxies, teams }: Peers, asApprover: boolean): Config =>
  readConfig({
    VAULTLINK_MODE: 'sandbox',
    PORT: '0',
    PROBE_PORT: '0',
    ARM_ENDPOINT: proxies.arm.url,
    AZURE_CLIENT_ID: identity.appId,
    MicrosoftAppId: identity.appId,
    MicrosoftAppTenantId: tenantId,
    MicrosoftAppType: 'SingleTenant',
    MicrosoftAppPassword: identity.secret,
    BOT_OPENID_METADATA_URL: teams.openIdUrl,
    BOT_TOKEN_ISSUER: publicCloud.issuer,
    BOT_AUTHORITY: `${proxies.login.url}/${tenantId}`,
    BOT_SCOPE: publicCloud.scope,
    BOT_SERVICE_HOSTS: proxies.teams.host,
    ...(asApprover && {
      APPROVE_AS: 'approver',
      APPROVER_APP_ID: approver.appId,
      APPROVER_APP_PASSWORD: approver.secret,
      APPROVER_APP_URI: approver.uri,
      AZURE_AUTHORITY_HOST: proxies.entra.url,
    }),
  })

/** The same store, its calls counted. */
function watched(store: Store, counted: <T>(work: Promise<T>) => Promise<T>): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, given)
        return result instanceof Promise ? counted(result) : result
      }
    },
  })
}
