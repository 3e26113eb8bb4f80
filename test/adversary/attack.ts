/**
 * Somebody who may create private endpoint connections on the vault, reads the mark of a request, and acts between any
 * two calls of the bot to Azure. The core, the engine and its Azure rim are the real ones, Azure is the local one, and
 * the clock moves only when nothing is left to do.
 */
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import type { Settings } from '../../sandbox/azure/switches.ts'
import { createEntra } from '../../sandbox/entra/entra.ts'
import { assignments, bot, directory, people, subscriptions, tenantId } from '../../sandbox/seed.ts'
import { createAzure } from '../../src/azure/index.ts'
import { createDesk } from '../../src/engine/desk.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer } from '../../src/engine/perform.ts'
import type { DecisionAnswer, Person, Store } from '../../src/engine/ports.ts'
import type { Limits, Link, Refusal } from '../../src/link/link.ts'
import { resourceName } from '../../src/link/resourceId.ts'
import { isEnded, mayRevoke, type NewsView } from '../../src/link/views.ts'
import { openStore } from '../../src/store/openStore.ts'
import { group, pair, pairs } from '../pairs.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const limits: Limits = {
  expiryMs: 24 * hour,
  usualProvisioningMs: 15 * minute,
  usualPropagatingMs: 30 * minute,
  alarmMs: 15 * minute,
  freshDecisionMs: 15 * minute,
  firstLookMs: 5 * second,
  longestLookMs: 5 * minute,
  restLookMs: 24 * hour,
  hintMs: 10_000,
  settleMs: 30 * second,
  freshLookMs: 5 * second,
  pinMs: 10 * second,
}
/** Wide enough for an imitation to come first and to stay alone for as long as two looks are apart. */
const pace: Partial<Settings> = {
  provisioningMs: 10 * second,
  appearsMs: 30 * second,
  settlesMs: 20 * second,
  propagatesMs: 40 * second,
  deletingMs: 5 * second,
  throttle: false,
}

// ---- what the attacker does ----------------------------------------------------------------------------

export const acts = [
  /** A connection that bears the mark, its endpoint in a subscription that the bot does not see. */
  'imitate',
  'imitateInCapitals',
  /** The same, its endpoint in a subscription of the tenant, far from SignalR and vault. */
  'imitateWithin',
  /** The genuine connection goes, and one of the attacker's takes its name. */
  'swap',
  'swapInOtherLetters',
  'removeGenuine',
  /** The attacker's own: opened in the portal, renamed, taken away. */
  'approveOwn',
  'renameOwn',
  'removeOwn',
  /** Somebody opens the genuine one in the portal. */
  'approveGenuine',
  /** Whoever asked is the attacker: SignalR, which could give the approval away, falls silent at their word. */
  'deleteLink',
  'cancel',
  /** For a while nobody may see the link on SignalR, by a policy and not for want of a right. */
  'hideLink',
] as const
export type Act = (typeof acts)[number]
/** After how many calls of the bot the attacker does what. */
export type Script = readonly { readonly after: number; readonly act: Act }[]

type Vault = { readonly name: string; readonly nonce: string; readonly signalr: string }
type Connection = ReturnType<Azure['connections']>[number]

const unseen = '66666666-0000-4000-8000-000000000006'
export const isAttackersEndpoint = (id: string): boolean => id.includes('/privateEndpoints/attacker-')
const isAttackers = ({ privateEndpointId }: Connection): boolean => isAttackersEndpoint(privateEndpointId)

/** Does it, if it can be done now. */
function attack(
  { portal, connections, links, fail }: Azure,
  { name: vault, nonce, signalr }: Vault,
  act: Exclude<Act, 'cancel'>,
  number: number,
): boolean {
  const all = connections(vault)
  const genuine = all.find((one) => !isAttackers(one))
  const own = all.find(isAttackers)
  const mark = `please approve [vaultlink ${nonce}]`
  const endpoint = (subscription = unseen): string =>
    `/subscriptions/${subscription}/resourceGroups/theirs/providers/Microsoft.Network/privateEndpoints/attacker-${number}`
  const take = (connection: Connection): void => portal.removeConnection(vault, connection.name)
  switch (act) {
    case 'imitate':
      portal.addConnection(vault, mark, 'Pending', { endpoint: endpoint() })
      return true
    case 'imitateInCapitals':
      portal.addConnection(vault, mark.toUpperCase(), 'Pending', { endpoint: endpoint() })
      return true
    case 'imitateWithin':
      portal.addConnection(vault, mark, 'Pending', { endpoint: endpoint(subscriptions.other.id) })
      return true
    case 'swap':
    case 'swapInOtherLetters': {
      if (!genuine) return false
      take(genuine)
      const name = act === 'swap' ? genuine.name : genuine.name.toUpperCase()
      portal.addConnection(vault, mark, 'Pending', { name, endpoint: endpoint() })
      return true
    }
    case 'removeGenuine':
      if (genuine) take(genuine)
      return genuine !== undefined
    case 'approveOwn':
    case 'approveGenuine': {
      const chosen = act === 'approveOwn' ? own : genuine
      if (chosen?.status !== 'Pending' || all.some((one) => one.provisioningState === 'Updating'))
        return false
      portal.approve(vault, 'second', chosen.name)
      return true
    }
    case 'renameOwn':
      if (own?.status !== 'Pending') return false
      take(own)
      portal.addConnection(vault, own.description ?? mark, 'Pending', { endpoint: own.privateEndpointId })
      return true
    case 'removeOwn':
      if (own) take(own)
      return own !== undefined
    case 'deleteLink': {
      const link = links().find(({ requestMessage }) => requestMessage.includes(nonce))
      if (link?.provisioningState !== 'Succeeded') return false
      portal.deleteLink(signalr, resourceName(link.id))
      return true
    }
    case 'hideLink':
      fail({
        method: 'GET',
        path: new RegExp(`/${signalr}/sharedPrivateLinkResources/`, 'i'),
        times: 20,
        status: 403,
        code: 'RequestDisallowedByPolicy',
      })
      return true
  }
}

// ---- the world -----------------------------------------------------------------------------------------

const count = 100
const seed = {
  ...pairs(count),
  assignments: [
    ...assignments,
    { principalId: people.owner.objectId, role: 'vaultApprover' as const, scope: group },
  ],
}

const person = (who: 'requester' | 'owner'): Person => ({
  objectId: people[who].objectId,
  teamsId: `29:${who}`,
  name: people[who].name,
  tenant: tenantId,
})
const place = (conversation: string) =>
  ({ conversation, serviceUrl: 'http://127.0.0.1/', kind: 'channel' }) as const
const owners = place('19:vault-owners@thread.tacv2')
const general = place('19:general@thread.tacv2;messageid=1')

export type Played = {
  /** Which acts could be done when their time came. */
  readonly done: readonly Act[]
  readonly calls: number
  /** What the bot approved: whose it was, and what the owner's press had shown. */
  readonly approvals: readonly {
    readonly attackers: boolean
    readonly genuineAtClick: boolean
    /** The name changed hands after the last read and before the approval. */
    readonly inTheInstant: boolean
    /** The list of the look that it rests on showed another with the mark. */
    readonly othersInLook: boolean
  }[]
  readonly refusals: readonly Refusal[]
  readonly link: Link
  /** What both sides were told in replies. */
  readonly told: {
    readonly requester: readonly NewsView['news'][]
    readonly owners: readonly NewsView['news'][]
  }
  /** Whether the owners' card offered to reject what was approved, and it was pressed. */
  readonly revoked: boolean
  /** Of the attacker's, at the end: what is open, and which of it the bot had opened. */
  readonly open: number
  readonly openedByBot: number
}

export type Ground = {
  /** `thinksMs`: how long the owner looks at the card before pressing. */
  play(script: Script, thinksMs?: number): Promise<Played>
  close(): Promise<void>
}

/** A local Azure with so many SignalRs and vaults that each attack has a pair of its own. */
export async function openGround(otherwise: Partial<Settings> = {}): Promise<Ground> {
  let azure: Azure | undefined
  let used = count
  let time = Date.UTC(2026, 10, 24)
  const { tokenFor } = createEntra(directory)
  const token = await tokenFor(bot.objectId)

  return {
    async play(script, thinksMs = 0) {
      if (used === count) {
        await azure?.close()
        azure = await startAzure({ ...pace, ...otherwise, seed, clock: () => time })
        used = 0
      }
      if (!azure) throw new Error('There is no Azure')
      const store = await openStore({ url: ':memory:' })
      try {
        return await playOn(azure, store, used++, script, thinksMs)
      } finally {
        await store.close()
      }
    },
    close: async () => azure?.close(),
  }

  async function playOn(
    sandbox: Azure,
    store: Store,
    n: number,
    script: Script,
    thinksMs: number,
  ): Promise<Played> {
    const clock = { now: () => time, until: async () => undefined }
    const { azure, directory, access } = createAzure({
      endpoint: sandbox.url,
      // The clock of the local Azure stands where it is turned to; its tokens must hold there too.
      credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + hour }) },
      now: clock.now,
      log: () => undefined,
    })
    const journal = createJournal({ store, clock, limits, wake: () => undefined })
    const router = async () => ({ place: owners, because: { is: 'default' } }) as const
    const news: { to: NewsView['to']; news: NewsView['news'] }[] = []
    let posts = 0
    const performer = createPerformer({
      store,
      clock,
      journal,
      azure,
      access,
      router,
      sendLimits: { take: async () => undefined, throttled: async () => undefined },
      limits,
      log: () => undefined,
      crashPoint: () => undefined,
      messenger: {
        async deliver({ view, to }) {
          if (view.view === 'news') news.push({ to: view.to, news: view.news })
          if (to.how === 'update')
            return { is: 'posted', conversation: to.conversation, activity: to.activity }
          const activity = String(++posts)
          const conversation =
            to.how === 'post' ? to.conversation : `${owners.conversation};messageid=${activity}`
          return { is: 'posted', conversation, activity }
        },
      },
    })
    const desk = createDesk({
      store,
      journal,
      directory,
      access,
      router,
      roster: async () => [person('owner')],
      deadlineMs: 10 * second,
      freshDecisionMs: limits.freshDecisionMs,
    })

    const by = await store.remember(person('requester'))
    const { link: asked } = await journal.ask({
      by,
      signalr: pair(n).signalrId,
      vault: pair(n).vaultId,
      name: 'kv-link',
      thread: general,
      owners: await router(),
    })
    const vault: Vault = {
      name: resourceName(asked.asked.vault),
      nonce: asked.asked.nonce,
      signalr: resourceName(asked.asked.signalr),
    }
    const watcher = watch(sandbox, vault, script)
    try {
      const { refusals, revoked } = await live()
      const { link } = (await store.get(asked.id)) ?? { link: asked }
      const open = sandbox
        .connections(vault.name)
        .filter((one) => isAttackers(one) && one.status === 'Approved')
      return {
        ...watcher.seen(),
        refusals,
        revoked,
        link,
        told: {
          requester: news.filter(({ to }) => to === 'requester').map(({ news }) => news),
          owners: news.filter(({ to }) => to === 'owners').map(({ news }) => news),
        },
        open: open.length,
        openedByBot: open.filter((one) => watcher.openedByBot.has(one.id)).length,
      }
    } finally {
      watcher.stop()
    }

    /** The bot does what is due, the owner presses what the card offers, and time passes when nobody has anything to do. */
    async function live(): Promise<{ refusals: Refusal[]; revoked: boolean }> {
      const holder = 'bot'
      const refusals: Refusal[] = []
      let presses = 0
      let nextPress: number | undefined
      let revoked = false
      const taken = {
        link: asked.id,
        by: person('requester'),
        conversation: general.conversation,
      }
      const end = time + 3 * hour
      while (time < end) {
        const [row] = await store.claim(holder, time, hour, 1)
        if (row) {
          const plan = journal.planFor(row.link, row)
          let later: number | undefined
          if (plan.passed)
            await journal.record(row.link.id, [{ fact: 'passed', what: plan.passed, at: time }])
          else if (plan.azure) later = await performer.act(row, plan.azure, holder)
          for (const message of plan.messages) await performer.tell(row, message)
          await store.release(row.link.id, holder)
          const newest = await store.get(row.link.id)
          await journal.rest(
            row.link.id,
            later === undefined || !newest ? {} : { as: newest, earliest: later },
          )
        }
        if (watcher.cancels()) await desk.cancel(taken)
        const now = await store.get(asked.id)
        if (!now) throw new Error('The link is gone')
        const { link } = now
        const quiet = !row
        if (quiet && (isEnded(link.stage.status) || link.stage.status === 'Approved')) break
        if (quiet && watcher.isSpent() && presses >= 3 && (link.stage.status === 'Pending' || link.blocked))
          break
        if (quiet && link.blocked && watcher.isSpent() && time - link.blocked.at > 20 * minute) break
        const card = link.told.approval?.is === 'posted' ? link.told.approval : undefined
        const press = card && {
          link: link.id,
          by: person('owner'),
          conversation: card.conversation,
          pressed: { activity: card.activity },
        }
        if (press) nextPress ??= time + thinksMs
        const maySoon = nextPress !== undefined && time >= nextPress
        if (press && link.stage.status === 'Pending' && presses < 3 && maySoon) {
          presses += 1
          nextPress = time + 6 * minute
          const answer = await watcher.click(() => desk.approve(press))
          if (answer.is === 'refused') refusals.push(answer.refusal)
        } else if (press && quiet && mayRevoke(link) && !revoked && maySoon) {
          nextPress = time + 6 * minute
          revoked = (await desk.rejectConnection(press)).is === 'granted'
        } else if (quiet) {
          const due = Math.min(
            (await store.nextDue()) ?? end,
            presses < 3 && press ? (nextPress ?? end) : end,
            end,
          )
          time = Math.max(time + second, due)
        }
      }
      return { refusals, revoked }
    }
  }
}

/** Counts the bot's calls, lets the attacker in between them, and sees what is approved. */
function watch(azure: Azure, vault: Vault, script: Script) {
  const left = [...script].sort((a, b) => a.after - b.after)
  const done: Act[] = []
  const approvals: Played['approvals'][number][] = []
  const openedByBot = new Set<string>()
  let calls = 0
  let cancels = false
  let clicking = false
  let genuineAtClick = false
  /** Whose the connection of the bot's last read of it was. */
  let readAsGenuine: boolean | undefined
  let othersInLook = false
  const here = (path: string): boolean => path.toLowerCase().includes(`/vaults/${vault.name}/`)
  const connections = () => azure.connections(vault.name)

  const stop = azure.onEvent((event) => {
    if (event.kind === 'effect') {
      if (event.what !== 'connectionApproved' || event.by !== 'bot' || !here(event.id)) return
      const approved = connections().find(({ id }) => id.toLowerCase() === event.id.toLowerCase())
      const attackers = approved !== undefined && isAttackers(approved)
      if (attackers) openedByBot.add(approved.id)
      approvals.push({
        attackers,
        genuineAtClick,
        inTheInstant: attackers && readAsGenuine === true,
        othersInLook,
      })
      return
    }
    if (event.kind !== 'arm') return
    if (event.method === 'GET' && here(event.path) && /\/privateEndpointConnections/i.test(event.path)) {
      const all = connections()
      if (clicking) genuineAtClick = all.some((one) => !isAttackers(one))
      else if (/\/privateEndpointConnections$/i.test(event.path)) othersInLook = all.length > 1
      const one = all.find(({ name }) => event.path.toLowerCase().endsWith(`/${name.toLowerCase()}`))
      if (one) readAsGenuine = !isAttackers(one)
    }
    calls += 1
    while (left[0] && left[0].after <= calls) {
      const [{ act }] = left.splice(0, 1) as [Script[number]]
      // The mark can be read once it is in Azure.
      const readable = azure.links().some(({ requestMessage }) => requestMessage.includes(vault.nonce))
      if (!readable) continue
      if (act === 'cancel') cancels = true
      if (act === 'cancel' || attack(azure, vault, act, done.length)) done.push(act)
    }
  })
  return {
    stop,
    openedByBot,
    isSpent: () => left.length === 0,
    /** Whether the request is to be taken back now. */
    cancels(): boolean {
      const now = cancels
      cancels = false
      return now
    },
    seen: () => ({ done, calls, approvals }),
    async click(press: () => Promise<DecisionAnswer>): Promise<DecisionAnswer> {
      clicking = true
      try {
        return await press()
      } finally {
        clicking = false
      }
    },
  }
}

/** Whether both sides heard news of that kind. */
export const toldBoth = ({ told }: Played, kind: NewsView['news']['news']): boolean =>
  [told.requester, told.owners].every((all) => all.some(({ news }) => news === kind))
