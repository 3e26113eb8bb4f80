/** Where the bot may write: the conversations that it was spoken to in or installed to. */
import type { KnownConversation, Store } from '../engine/ports.ts'
import type { Database, Tables } from './tables.ts'

type Conversations = Pick<Store, 'meet' | 'conversation' | 'leave' | 'welcome'>

export function conversations({ db }: Database): Conversations {
  const find = (id: string) =>
    db
      .selectFrom('conversations')
      .select(['conversation', 'service_url', 'kind', 'team', 'name'])
      .where('conversation', '=', id)
      .executeTakeFirst()

  return {
    async meet(met) {
      const row = {
        conversation: met.conversation,
        service_url: met.serviceUrl,
        kind: met.kind,
        team: met.team ?? null,
        // A personal chat's name is a person's, and those stand in `people` alone.
        name: met.kind === 'personal' ? null : (met.name ?? null),
      }
      // Every turn comes by here: a read spares it the wait for the disk.
      const known = await find(met.conversation)
      if (known && !adds(row, known)) return
      await db
        .insertInto('conversations')
        .values(row)
        .onConflict((conflict) =>
          conflict.column('conversation').doUpdateSet(({ ref, fn }) => ({
            service_url: ref('excluded.service_url'),
            kind: ref('excluded.kind'),
            // An activity does not always name its team and channel: what it leaves out is still so.
            team: fn.coalesce('excluded.team', 'conversations.team'),
            name: fn.coalesce('excluded.name', 'conversations.name'),
          })),
        )
        .execute()
    },

    async conversation(id) {
      const row = await find(id)
      return row && parse(row)
    },

    async leave(conversation) {
      await db.deleteFrom('conversations').where('conversation', '=', conversation).execute()
    },

    async welcome(conversation) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('welcomes')
        .values({ conversation })
        .onConflict((conflict) => conflict.column('conversation').doNothing())
        .executeTakeFirstOrThrow()
      return numInsertedOrUpdatedRows === 1n
    },
  }
}

type StoredConversation = Tables['conversations']

const adds = (met: StoredConversation, known: StoredConversation): boolean =>
  met.service_url !== known.service_url ||
  met.kind !== known.kind ||
  (met.team !== null && met.team !== known.team) ||
  (met.name !== null && met.name !== known.name)

const parse = ({ conversation, service_url, kind, team, name }: StoredConversation): KnownConversation => ({
  conversation,
  serviceUrl: service_url,
  kind,
  ...(team === null ? {} : { team }),
  ...(name === null ? {} : { name }),
})
