/** Links as somebody could have asked for them, and changes to them, folded by the core itself. */
import type { Change, Person, Row } from '../../src/engine/ports.ts'
import { begin, fold } from '../../src/link/fold.ts'
import type { Asked, Fact, Link, Millis } from '../../src/link/link.ts'

export const noon: Millis = Date.UTC(2026, 10, 23, 12)
export const minute = 60_000

export const signalrId = (name: string): string =>
  `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers/Microsoft.SignalRService/SignalR/${name}`
export const vaultId = (name: string): string =>
  `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/${name}`

export const channel = (name: string) =>
  ({
    conversation: `19:${name}@thread.tacv2`,
    serviceUrl: 'https://smba.trafficmanager.net/emea/',
    kind: 'channel',
  }) as const
export const thread = (name: string, message: string) => ({
  ...channel(name),
  conversation: `19:${name}@thread.tacv2;messageid=${message}`,
})

export const riley: Person = {
  objectId: 'a0000000-0000-4000-8000-00000000000a',
  teamsId: '29:riley',
  name: 'Riley Park',
  tenant: '72f988bf-0000-4000-8000-00000000c0de',
}
export const noor: Person = {
  ...riley,
  objectId: 'a0000000-0000-4000-8000-00000000000b',
  teamsId: '29:noor',
  name: 'Noor Haddad',
}

export function ask(id: string, asked: Partial<Asked> = {}, due: Millis | undefined = noon): Change {
  const fact = {
    fact: 'asked',
    at: asked.at ?? noon,
    id,
    asked: {
      at: noon,
      by: 'riley',
      signalr: signalrId('contoso-signalr'),
      vault: vaultId(id),
      name: `kv-${id}`,
      nonce: '4f7c'.repeat(8),
      thread: thread('general', '1'),
      owners: { place: channel('vault-owners'), because: { is: 'default' } },
      expiresAt: noon + 7 * 24 * 60 * minute,
      ...asked,
    },
  } as const
  return { facts: [fact], link: begin(fact), due }
}

/** The change that these facts make to the link. */
export function change(link: Link, facts: readonly Fact[], due: Millis | undefined = noon): Change {
  return { facts, link: facts.reduce(fold, link), due }
}

export const appending =
  (...facts: readonly Fact[]) =>
  (row: Row) => ({ change: change(row.link, facts), result: row.version })

/** A fact that changes the record each time. */
export const unposted = (at: Millis): Fact => ({ fact: 'unposted', at, post: 'status', notBefore: at })
