/** A log as the bot writes it: many links at once, each with a whole random life, through the store itself. */
import fc from 'fast-check'
import type { Person, Store } from '../../src/engine/ports.ts'
import { begin, fold } from '../../src/link/fold.ts'
import type { Fact } from '../../src/link/link.ts'
import { anyDelays, anyMoves, worked } from '../link/anyLife.ts'
import { createLife } from '../link/lives.ts'
import { channel, noon, noor, riley, vaultId } from '../store/samples.ts'

/** Lives through which a link went, as the facts of link `life-<number>` to a vault of its own. */
function lives(count: number, seed: number): readonly (readonly Fact[])[] {
  const any = fc.tuple(anyDelays, anyMoves)
  return fc.sample(any, { numRuns: count, seed }).map(([delays, moves], index) => {
    const life = createLife(delays)
    for (const move of [...worked(20), ...moves]) life.play(move)
    const text = JSON.stringify(life.log)
      .replaceAll('contoso-kv', `contoso-kv-${index}`)
      .replaceAll('"link-1"', `"life-${index}"`)
    return JSON.parse(text) as readonly Fact[]
  })
}

export const requester: Person = { ...riley, name: '=HYPERLINK("https://evil.example")' }
export const owner: Person = noor
export const reason = '@SUM(1+1)*cmd|"/c calc"!A0, "please"\r\nand thanks'

/** Writes it, in turns, as links live beside each other. The people of the lives are two who are known. */
export async function writeLog(store: Store, count: number, seed = 1): Promise<void> {
  const keys: Readonly<Record<string, string>> = {
    requester: await store.remember(requester),
    owner: await store.remember(owner),
  }
  const text = await store.keep(reason, keys.requester ?? '')
  const named = lives(count, seed).map((facts) =>
    (
      JSON.parse(
        JSON.stringify(facts)
          .replaceAll('"reason":"why"', `"reason":"${text}"`)
          .replaceAll(/"by":"(requester|owner)"/g, (_, who: string) => `"by":"${keys[who]}"`),
      ) as readonly Fact[]
    ).map((fact) => ('by' in fact ? { ...fact, from: channel('said').conversation } : fact)),
  )
  await store.own({
    vault: vaultId('contoso-kv-0'),
    team: 'blue',
    place: channel('blue'),
    since: noon,
    by: keys.owner ?? '',
  })
  const longest = Math.max(...named.map(({ length }) => length))
  for (let turn = 0; turn < longest; turn++) {
    for (const facts of named) {
      const fact = facts[turn]
      if (fact?.fact === 'asked') await store.create({ facts: [fact], link: begin(fact), due: noon })
      else if (fact)
        await store.transact(idOf(facts), [], ({ link }) => ({
          change: { facts: [fact], link: fold(link, fact), due: undefined },
          result: undefined,
        }))
    }
  }
}

function idOf([first]: readonly Fact[]): string {
  if (first?.fact !== 'asked') throw new Error('A life begins with the request')
  return first.id
}
