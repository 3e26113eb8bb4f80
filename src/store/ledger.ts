/**
 * The chain over all chains: one entry for each commit, in their order, that names the link's newest hash then. So a
 * whole link that is missing shows, and the newest facts of it; its own newest head, kept elsewhere, vouches for all
 * that came before. Events that belong to no link stand in it themselves.
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Head } from '../engine/ports.ts'
import type { LinkId, Millis, PersonKey } from '../link/link.ts'
import { canonicalJson } from './json.ts'
import type { Database, Trx } from './tables.ts'

/** What a commit did to one link's log. */
export type Commit = {
  readonly at: Millis
  readonly link: LinkId
  /** How many facts this commit wrote. Those between the entry before and them it takes over, unwitnessed. */
  readonly facts: number
  /** The number of the link's newest fact, and the hash of it. */
  readonly seq: number
  readonly hash: string
  /** The hash of the link's record as this commit left it. */
  readonly record: string
}

/** What happened to no link and yet bears on who may decide, or on what the log can say. */
export type Happening = { readonly at: Millis } & (
  | {
      readonly event: 'owned' | 'disowned'
      readonly vault: string
      readonly team: string
      readonly conversation: string
      readonly by: PersonKey
    }
  | { readonly event: 'forgotten'; readonly person: PersonKey }
)

export type Entry = { readonly n: number; readonly previous: string } & (Commit | Happening)

/** What the first entry names as the head before it. */
export const beginning: Head = { n: 0, head: '0'.repeat(64) }

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const newestOf = new WeakMap<Trx, Head>()

/** The newest entry that this transaction wrote: where it stands, the transaction was committed. */
export const entered = (trx: Trx): Head | undefined => newestOf.get(trx)

/** Writes the next entry. Called last in its transaction: on PostgreSQL all others wait from here until it commits. */
export async function enter(
  trx: Trx,
  { locksRows }: Pick<Database, 'locksRows'>,
  what: Commit | Happening,
): Promise<void> {
  const { n, head: previous } = locksRows ? await lockHead(trx) : await readHead(trx)
  const entry = canonicalJson({ ...what, n: n + 1, previous } satisfies Entry)
  const newest: Head = { n: n + 1, head: sha256(entry) }
  newestOf.set(trx, newest)
  const of = 'link' in what ? { link: what.link, seq: what.seq } : { link: null, seq: null }
  await trx
    .insertInto('ledger')
    .values({ ...newest, ...of, entry })
    .execute()
  await trx
    .insertInto('ledger_head')
    .values({ only: 1, ...newest })
    .onConflict((conflict) => conflict.column('only').doUpdateSet(newest))
    .execute()
}

/** Waits until nobody else can write an entry before this transaction ends. */
export async function lockHead(trx: Trx): Promise<Head> {
  const lock = () => trx.selectFrom('ledger_head').select(['n', 'head']).forUpdate().executeTakeFirst()
  const standing = await lock()
  if (standing) return standing
  // The first entry of all, which several may want to write.
  await trx
    .insertInto('ledger_head')
    .values({ only: 1, ...beginning })
    .onConflict((conflict) => conflict.column('only').doNothing())
    .execute()
  return (await lock()) ?? beginning
}

/** The newest head: with it kept elsewhere, nothing up to its entry can change unseen. */
export async function readHead(db: Pick<Trx, 'selectFrom'>): Promise<Head> {
  return (await db.selectFrom('ledger_head').select(['n', 'head']).executeTakeFirst()) ?? beginning
}

/**
 * Takes into the ledger what stands in no entry: written before there was one, or by an older version that still runs
 * beside this one. `verify` says how much that was.
 */
export async function takeOver(database: Database): Promise<void> {
  const unwitnessed = (db: Pick<Trx, 'selectFrom'>) =>
    db
      .selectFrom('links')
      // What does not even fit its own row is left for `verify` to tell.
      .innerJoin('facts', (join) =>
        join
          .onRef('facts.link', '=', 'links.id')
          .onRef('facts.seq', '=', 'links.version')
          .onRef('facts.hash', '=', 'links.head'),
      )
      .select(['facts.at', 'facts.link', 'facts.seq', 'facts.hash', 'links.record'])
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('ledger')
              .select(sql.lit(1).as('one'))
              .whereRef('ledger.link', '=', 'links.id')
              .whereRef('ledger.seq', '=', 'links.version'),
          ),
        ),
      )
      .orderBy('links.asked_at')
      .orderBy('links.id')
  if (!(await unwitnessed(database.db).executeTakeFirst())) return
  await database.transaction(async (trx) => {
    // What others write meanwhile would come after it in the ledger, and before it in the log.
    if (database.locksRows) await lockHead(trx)
    for (const { record, ...newest } of await unwitnessed(trx).execute())
      await enter(trx, database, { ...newest, facts: 0, record: sha256(record) })
  })
}
