import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AskRefusal, Findings, SharedPrivateLink } from '../../src/link/link.ts'
import { askActions, botActions, decideActions, decideAsk, linkName } from '../../src/link/policy.ts'
import { route } from '../../src/link/route.ts'
import { asked, at, newOwners, noon, otherVault, own, signalr, vault, vaultOwners } from './given.ts'

const held = { is: 'held' } as const
const missing = { is: 'missing', actions: ['write'] } as const
const unreadable = { is: 'unreadable' } as const

const standing = (change: Partial<SharedPrivateLink>): SharedPrivateLink => {
  const sighting = own({ name: 'theirs', target: otherVault, ...change })
  if (sighting.is !== 'present') throw new Error('A standing link is present')
  return sighting.value
}
const good: Findings = {
  signalr: { id: signalr, sku: 'Standard_S1', replicas: 0, provisioningState: 'Succeeded', links: [] },
  vault: { id: vault, isPublic: true, connectionCount: 0 },
  requester: held,
  bot: { signalr: held, vault: held },
  route: asked.owners,
  approvers: 2,
  needs: 1,
  open: undefined,
}
const onSignalr = (change: Partial<Findings['signalr']>): Findings => ({
  ...good,
  signalr: { ...good.signalr, ...change },
})

/** Each alone, in the order in which it is said when several are true. */
const hindrances: readonly (readonly [string, (findings: Findings) => Findings, AskRefusal['refusal']])[] = [
  ['the right to ask cannot be read', (f) => ({ ...f, requester: unreadable }), 'rightUnreadable'],
  ['the right to ask is missing', (f) => ({ ...f, requester: missing }), 'requesterLacksRight'],
  ['the same is asked already', (f) => ({ ...f, open: at('Pending') }), 'alreadyAsked'],
  ['the free tier', (f) => ({ ...f, signalr: { ...f.signalr, sku: 'Free_F1' } }), 'freeTier'],
  ['replicas', (f) => ({ ...f, signalr: { ...f.signalr, replicas: 1 } }), 'replicas'],
  [
    'replicas that cannot be read',
    (f) => ({ ...f, signalr: { ...f.signalr, replicas: 'unreadable' } }),
    'replicas',
  ],
  [
    'made by others',
    (f) => ({ ...f, signalr: { ...f.signalr, links: [standing({ target: vault })] } }),
    'madeByOthers',
  ],
  ['a full vault', (f) => ({ ...f, vault: { ...f.vault, connectionCount: 64 } }), 'vaultFull'],
  [
    'the bot may not write the SignalR',
    (f) => ({ ...f, bot: { ...f.bot, signalr: missing } }),
    'botLacksRight',
  ],
  [
    'what the bot may there cannot be read',
    (f) => ({ ...f, bot: { ...f.bot, signalr: unreadable } }),
    'rightUnreadable',
  ],
  [
    'the bot may not decide on the vault',
    (f) => ({ ...f, bot: { ...f.bot, vault: missing } }),
    'botLacksRight',
  ],
  [
    'what the bot may there cannot be read',
    (f) => ({ ...f, bot: { ...f.bot, vault: unreadable } }),
    'rightUnreadable',
  ],
  ['no owners', (f) => ({ ...f, route: undefined }), 'noOwners'],
  ['nobody who may approve', (f) => ({ ...f, approvers: 0 }), 'nobodyMayApprove'],
  ['fewer who may than have to', (f) => ({ ...f, needs: 3 }), 'tooFewApprovers'],
]

describe('asking', () => {
  test('nothing in the way: under the name of the vault, to its owners', () => {
    expect(decideAsk(good, undefined)).toEqual({ is: 'ask', name: 'kv-contoso-kv', route: asked.owners })
    expect(decideAsk({ ...good, needs: 2 }, undefined).is).toBe('ask')
    expect(decideAsk({ ...good, approvers: 'unknown', needs: 2 }, 'my-link')).toMatchObject({
      is: 'ask',
      name: 'my-link',
    })
  })

  test.each(hindrances)('%s: refused', (_what, hinder, refusal) => {
    expect(decideAsk(hinder(good), undefined)).toMatchObject({ is: 'refused', refusal: { refusal } })
  })

  test('of several, the earliest is said: who may not ask learns nothing else', () => {
    fc.assert(
      fc.property(fc.subarray([...hindrances.keys()], { minLength: 1 }), (some) => {
        const findings = some
          .toReversed()
          .reduce((found, index) => hindrances[index]?.[1](found) ?? found, good)
        expect(decideAsk(findings, undefined)).toMatchObject({
          is: 'refused',
          refusal: { refusal: hindrances[Math.min(...some)]?.[2] },
        })
      }),
    )
  })

  test.each(['Free_F1', 'free', 'FREE_F1'])('%s is the free tier', (sku) => {
    expect(decideAsk(onSignalr({ sku }), undefined)).toMatchObject({ refusal: { refusal: 'freeTier', sku } })
  })

  test('a link to that vault that works is said so; one that does not, is explained', () => {
    const works = standing({ target: vault.toUpperCase(), status: 'Approved' })
    expect(decideAsk(onSignalr({ links: [works] }), undefined)).toMatchObject({
      refusal: { refusal: 'alreadyLinked', name: 'theirs' },
    })
    for (const broken of [
      standing({ target: vault, status: 'Disconnected' }),
      standing({ target: vault, status: 'Approved', provisioningState: 'Failed' }),
    ])
      expect(decideAsk(onSignalr({ links: [broken] }), undefined)).toMatchObject({
        refusal: { refusal: 'madeByOthers', name: 'theirs', status: broken.status },
      })
  })

  test('63 connections leave room for one', () => {
    expect(decideAsk({ ...good, vault: { ...good.vault, connectionCount: 63 } }, undefined).is).toBe('ask')
  })
})

describe('the name', () => {
  test.each(['ab', '1ab', 'a_b', 'ab-', '-ab', 'a b', '', `a${'b'.repeat(63)}`, 'a/b', 'ab\n', 'äbc'])(
    '%j is no name',
    (name) => {
      expect(decideAsk(good, name)).toMatchObject({ refusal: { refusal: 'badName', name } })
    },
  )

  test.each(['abc', 'a1b', 'A-b', `a${'b'.repeat(62)}`])('%s is one', (name) => {
    expect(decideAsk(good, name)).toMatchObject({ is: 'ask', name })
  })

  test('asked for and taken, in whatever letters: refused; not asked for: the next number', () => {
    const links = [standing({ name: 'KV-contoso-KV' }), standing({ name: 'kv-contoso-kv-2' })]
    expect(decideAsk(onSignalr({ links }), 'kv-contoso-kv')).toMatchObject({
      refusal: { refusal: 'nameTaken' },
    })
    expect(decideAsk(onSignalr({ links }), undefined)).toMatchObject({ name: 'kv-contoso-kv-3' })
  })

  test('whatever the vault is called, the name that comes of it is one', () => {
    const vaultName = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{1,22})[a-zA-Z0-9]$/)
    fc.assert(
      fc.property(vaultName, fc.nat({ max: 70 }), (name, taken) => {
        const links = Array.from({ length: taken }, (_none, index) =>
          standing({ name: index === 0 ? `kv-${name}` : `kv-${name}-${index + 1}` }),
        )
        const found = {
          ...onSignalr({ links }),
          vault: { ...good.vault, id: vault.replace('contoso-kv', name) },
        }
        const decided = decideAsk(found, undefined)
        expect(decided).toMatchObject({ is: 'ask', name: expect.stringMatching(linkName) })
        expect(links.some((link) => decided.is === 'ask' && link.name === decided.name)).toBe(false)
      }),
    )
  })
})

describe('the rights', () => {
  test('who asks writes links on the SignalR; who decides holds both actions on the vault', () => {
    expect(askActions).toEqual(['Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write'])
    expect(decideActions).toHaveLength(2)
    for (const action of decideActions) expect(botActions.vault.bot).toContain(action)
    for (const action of askActions) expect(botActions.signalr).toContain(action)
  })
  test('where approvers decide as themselves, the bot only reads vaults', () => {
    expect(botActions.vault.approver.length).toBeGreaterThan(0)
    for (const action of botActions.vault.approver) expect(action).toMatch(/\/read$/)
  })
})

describe('whose vault it is', () => {
  const owned = { place: vaultOwners, since: noon }
  test.each([
    [
      { owned, tagged: newOwners, fallback: newOwners },
      { place: vaultOwners, because: { is: 'owned', since: noon } },
    ],
    [
      { owned: undefined, tagged: vaultOwners, fallback: newOwners },
      { place: vaultOwners, because: { is: 'tagged' } },
    ],
    [
      { owned: undefined, tagged: undefined, fallback: newOwners },
      { place: newOwners, because: { is: 'default' } },
    ],
    [{ owned: undefined, tagged: undefined, fallback: undefined }, undefined],
  ])('what a team said, else the tag, else the default, else nobody (%#)', (known, expected) => {
    expect(route(known)).toEqual(expected)
  })
})
