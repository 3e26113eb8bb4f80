/** The stories that the demo plays: what people say and press, and by which step each should have happened. */
import type { Azure } from './azure/azure.ts'
import type { AzureEvent } from './azure/state.ts'
import { people } from './seed.ts'
import { cardText } from './teams/cardText.ts'
import type { Message } from './teams/face.ts'
import type { World } from './world.ts'

export type Step = { readonly name: string; happens(): Promise<unknown> }
export type StoryName = 'approve' | 'reject' | 'portal' | 'stuck'

const ask = 'link contoso-signalr to contoso-kv because custom domain certificate'

/** Waits until the local Azure did this. Nothing moves there by itself: the bot's own looks bring it about. */
function azureSays(azure: Azure, what: (AzureEvent & { kind: 'effect' })['what'], ms: number): Promise<void> {
  const is = (event: AzureEvent): boolean => event.kind === 'effect' && event.what === what
  if (azure.events.some(is)) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const cut = setTimeout(() => {
      stop()
      reject(new Error(`Azure did not say ${what}`))
    }, ms)
    const stop = azure.onEvent((event) => {
      if (!is(event)) return
      clearTimeout(cut)
      stop()
      resolve()
    })
  })
}

/** People press again what Teams could not deliver; a message Teams delivers again by itself. */
async function delivered<T extends { status?: number; delivered?: number; id?: string }>(
  world: World,
  act: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    await world.up()
    const done = await act()
    let status = done.status ?? done.delivered
    while (done.id !== undefined && status !== 200 && tries < 5) {
      tries++
      await died(world)
      status = (await world.teams.redeliver(done.id, { sameId: true })).status
    }
    if (status === 200 || tries >= 5) return done
    await died(world)
  }
}

/** A bot that answered nothing is about to be gone; then it is started again. */
async function died(world: World): Promise<void> {
  await world.bot().ended
  await new Promise(setImmediate)
  await world.up()
}

/** `within`: how long each step may take, in milliseconds. */
export function story(name: StoryName, world: World, within = 12_000): readonly Step[] {
  const { azure, teams } = world
  const requester = teams.person('requester')
  const owner = teams.person('owner')
  const owners = teams.channel('vault-owners')
  const general = teams.channel('general')
  let asked: Message | undefined
  let approval: Message | undefined
  const there = (message: Message | undefined): Message => {
    if (!message) throw new Error('The card is not there')
    return message
  }

  const claimed: Step = {
    name: 'the owners claim their vault',
    async happens() {
      await delivered(world, () => owner.says('own contoso-kv').in('vault-owners'))
      await owners.shows(/decides for contoso-kv/, { within })
    },
  }
  const requested: Step = {
    name: 'the request stands in its thread',
    async happens() {
      asked = await delivered(world, () => requester.says(ask).in('general'))
      await teams.thread(asked).shows('Link contoso-signalr to contoso-kv', { within })
    },
  }
  const created: Step = {
    name: 'the endpoint is created',
    happens: () => azureSays(azure, 'linkCreated', within),
  }
  const asksOwners: Step = {
    name: 'the owners are asked',
    async happens() {
      approval = await owners.shows('Approve a private connection to contoso-kv?', { within })
    },
  }
  const notOwn: Step = {
    name: 'the requester may not approve',
    async happens() {
      const answer = await delivered(world, () =>
        requester.presses('Approve…', 'Yes, approve').on(there(approval)),
      )
      if (!/somebody else/.test(answer.text ?? '')) throw new Error(`The requester was told: ${answer.text}`)
    },
  }
  const approves: Step = {
    name: 'an owner approves',
    happens: () =>
      delivered(world, async () => {
        const card = there(approval)
        // Whoever was not answered looks at the card first: where it says that they decided, nothing is left to press.
        const shown = owners.messages().find(({ id }) => id === card.id)
        if (cardText(shown?.card).join('\n').includes(`Approved by ${people.owner.name}`))
          return { status: 200 }
        return owner.presses('Approve…', 'Yes, approve').on(card)
      }),
  }
  const rejects: Step = {
    name: 'an owner rejects',
    happens: () =>
      owner.presses('Reject…', 'Yes, reject').on(there(approval), { reason: 'Use contoso-certs instead' }),
  }
  const inPortal: Step = {
    name: 'an owner approves in the portal',
    async happens() {
      azure.portal.approve('contoso-kv', 'owner')
    },
  }
  const onVault: Step = {
    name: 'the vault says Approved',
    happens: () => azureSays(azure, 'connectionApproved', within),
  }
  const onSignalr: Step = {
    name: 'SignalR says Approved',
    happens: () => azureSays(azure, 'propagated', within),
  }
  const toldRequester: Step = {
    name: 'the requester is told that it works',
    happens: () => teams.thread(there(asked)).shows('can now reach', { within }),
  }
  const toldOwners: Step = {
    name: 'the owners are told that it works',
    happens: () => owners.shows('Working since', { within }),
  }
  const cardsDone: Step = {
    name: 'both cards show Approved and have no buttons left',
    async happens() {
      await general.shows(/Approved/, { within })
      await owners.shows(/Approved by|Approved in/, { within })
    },
  }

  switch (name) {
    case 'approve':
      return [
        claimed,
        requested,
        created,
        asksOwners,
        notOwn,
        approves,
        onVault,
        onSignalr,
        toldRequester,
        toldOwners,
        cardsDone,
      ]
    case 'reject':
      return [
        claimed,
        requested,
        created,
        asksOwners,
        rejects,
        { name: 'the connection is rejected', happens: () => azureSays(azure, 'connectionRejected', within) },
        { name: 'the link is removed', happens: () => azureSays(azure, 'linkDeleted', within) },
        {
          name: 'the requester is told why',
          happens: () =>
            teams.thread(there(asked)).shows(/contoso-certs instead[\s\S]*ask again/, { within }),
        },
        {
          name: 'the owners see it rejected, and nothing left to press',
          async happens() {
            await owners.shows(/^Rejected by .* is removed/, { within })
            await owners.shows(/^Private connection to contoso-kv[\s\S]*Rejected by/, { within })
          },
        },
      ]
    case 'portal':
      return [
        claimed,
        requested,
        created,
        asksOwners,
        inPortal,
        onVault,
        onSignalr,
        toldRequester,
        toldOwners,
      ]
    case 'stuck':
      return [
        claimed,
        requested,
        created,
        asksOwners,
        approves,
        onVault,
        {
          name: 'both sides are alarmed when SignalR does not follow',
          async happens() {
            // Not merely on its way to the vault: the time for SignalR to follow runs from what the vault shows.
            await teams.thread(there(asked)).shows('on its way to SignalR', { within })
            await world.passes(16 * 60_000)
            await teams.thread(there(asked)).shows(/does not follow/, { within })
          },
        },
        { ...onSignalr, happens: () => azureSays(azure, 'propagated', 2_000) },
      ]
  }
}
