/**
 * Fills a store with links as a bot would, through the store itself. `node test/migrate/many.ts <url> <how many>`, to
 * measure with.
 */
import { pathToFileURL } from 'node:url'
import type { Store } from '../../src/engine/ports.ts'
import type { Fact } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { appending, ask, channel, noon, noor, riley, thread, vaultId } from '../store/samples.ts'

export async function fill(store: Store, count: number): Promise<void> {
  const [by, owner] = [await store.remember(riley), await store.remember(noor)]
  await store.own({ vault: vaultId('link-1'), team: 'blue', place: channel('blue'), since: noon, by: owner })
  await store.meet({ ...channel('blue'), name: 'Blue \u{1f499} "quoted" \\ and more' })
  await store.welcome(channel('blue').conversation)
  for (let n = 1; n <= count; n++) {
    const id = `link-${n}`
    const at = noon + n
    const reason = await store.keep(`because of \u0000 and \ud800 number ${n}`, by)
    await store.create({
      ...ask(id, { by, reason, at, thread: thread('general', String(n)) }, n % 3 === 0 ? noon : undefined),
      take: [{ key: `signalr ${n}`, holder: id, until: noon }],
    })
    const posted = (post: 'status' | 'approval', activity: string): Fact => ({
      ...{ fact: 'posted', at, post, activity, digest: 'd', schema: 1 },
      ...thread(post === 'status' ? 'general' : 'vault-owners', String(n)),
    })
    await store.transact(id, [], appending({ fact: 'intended', at, effect: 'put' }, posted('status', `${n}`)))
    await store.transact(id, [], appending({ fact: 'done', at, effect: 'put' }, posted('approval', `a${n}`)))
    await store.transact(id, [], appending({ fact: 'decided', at, verdict: 'approve', by: owner }))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [url = '', count = '30000'] = process.argv.slice(2)
  const store = await openStore({ url })
  await fill(store, Number(count))
  await store.close()
}
