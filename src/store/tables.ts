/** The tables, as both SQLite and PostgreSQL hold them: text, whole numbers, and JSON kept as text. */
import type { Kysely, Transaction } from 'kysely'
import type { Scrubbed } from '../engine/ports.ts'
import type { Millis } from '../link/link.ts'

export type Tables = {
  links: {
    id: string
    /** The record's own schema number: an instance leaves alone what it cannot read. */
    schema: number
    /** How many facts the log holds; `head` is the hash of the newest. */
    version: number
    head: string
    record: string
    /** Lower-cased, so that no spelling of an id begins a second link. */
    signalr_key: string
    vault_key: string
    status: string
    ended: 0 | 1
    asked_by: string
    asked_at: number
    due: number | null
    looked_at: number | null
    hinted_at: number | null
    lease_holder: string | null
    lease_until: number | null
    /** The later of `due` and `lease_until`, so that one index answers both who is next and when. */
    claimable_at: number | null
  }
  /** The conversations that a link belongs to. */
  places: { conversation: string; link: string }
  facts: {
    link: string
    seq: number
    at: number
    name: string
    /** Canonical, to the byte: the hash is taken over this text. */
    json: string
    hash: string
  }
  /** The chain over all chains, in the order of commits. */
  ledger: {
    n: number
    /** Which link's log the entry is of, and the number of its newest fact then; null for an event of no link. */
    link: string | null
    seq: number | null
    /** Canonical, to the byte: `head` is the hash of this text. */
    entry: string
    head: string
  }
  /** One row, `only` 1: it is what two instances wait for each other on. */
  ledger_head: { only: number; n: number; head: string }
  gates: { key: string; holder: string; until: number; at: number | null }
  people: { key: string; tenant: string; object_id: string; person: string }
  texts: { key: string; by: string; words: string }
  /** Keys of people whose name, ids and words were erased: nothing may be written under them again. */
  forgotten: { key: string; at: number }
  owners: { vault_key: string; team: string; owner: string }
  conversations: {
    conversation: string
    service_url: string
    kind: 'channel' | 'group' | 'personal'
    team: string | null
    name: string | null
  }
  welcomes: { conversation: string }
}

/** An open database, and in what its dialects differ beyond the SQL that Kysely writes. */
export type Database = {
  readonly db: Kysely<Tables>
  /** Commits what `work` wrote, all or nothing. `work` may be run again, in a new transaction. */
  readonly transaction: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>
  /**
   * Whether a transaction has to lock the rows that it reads (PostgreSQL). SQLite's hold the whole file from
   * their first statement on.
   */
  readonly locksRows: boolean
  /** Whether no other process has it open, nor can open it until `letOthersIn`. */
  readonly isAlone: boolean
  readonly letOthersIn: () => void
  /**
   * Makes what was deleted unreadable on the disk too; false when another process reads it at this moment, `later` where
   * the server does that in its own time.
   */
  readonly scrub: () => Promise<Scrubbed>
  /** The server's own time, where there is a server. */
  readonly now?: () => Promise<Millis>
  /** Resolves once what was asked before is answered and the database is closed. */
  readonly close: () => Promise<void>
}

export type Trx = Transaction<Tables>
