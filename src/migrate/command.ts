/** `npm run migrate-store`: brings what a bot on SQLite knows to PostgreSQL. The bot is stopped meanwhile. */
import { parseArgs } from 'node:util'
import { type Copied, copyStore } from '../store/copyStore.ts'

const usage = `npm run migrate-store -- --from <path of the SQLite file> --to postgres://<user>:<password>@<host>/<database>
Without --to it is what DATABASE_URL says.`

async function run(argv: readonly string[]): Promise<0 | 1 | 2> {
  const { from, to = process.env.DATABASE_URL ?? '' } = read(argv)
  if (from === undefined || !/^postgres(ql)?:\/\//i.test(to)) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  const began = performance.now()
  const copied = await copyStore(from, to)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const text = said(copied, from)
  if (copied.is !== 'copied') {
    process.stderr.write(`${text} Nothing was copied.\n`)
    return 1
  }
  process.stdout.write(`${text} It took ${seconds} s.\n`)
  return 0
}

function read(argv: readonly string[]): { from?: string | undefined; to?: string | undefined } {
  try {
    return parseArgs({ args: [...argv], options: { from: { type: 'string' }, to: { type: 'string' } } })
      .values
  } catch {
    // Node's own words explain what this command has not.
    return {}
  }
}

const many = (n: number, one: string): string => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`

function said(copied: Copied, from: string): string {
  switch (copied.is) {
    case 'copied': {
      const { links, people, owners } = copied.rows
      const { facts, head } = copied.verdict
      return `${many(links, 'link')} with ${many(facts, 'fact')}, ${many(people, 'person').replace(/persons$/, 'people')} and ${many(owners, 'owned vault')} are in PostgreSQL. The audit log is whole there, up to ${head.n}:${head.head}. Start the bot with DATABASE_URL set to it, and put ${from} away: a bot that is started on it would do everything twice.`
    }
    case 'missing':
      return `There is no file ${from}.`
    case 'inUse':
      return `A bot has ${from} open. Stop it first.`
    case 'newer':
      return 'A newer version of Vaultlink has written one of the two. Use that version.'
    case 'notEmpty':
      return `The database is not empty: there is something in ${copied.table}. Make a new one.`
    case 'miscounted':
      return `Of ${copied.table} ${copied.here} arrived of ${copied.there}.`
    case 'otherHead':
      return `The audit log ends with ${copied.here.n}:${copied.here.head} and not, as in the file, with ${copied.there.n}:${copied.there.head}.`
    case 'flawed':
      return 'The audit log in the file is not whole. See what npm run audit -- verify says of it.'
  }
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(
    `It failed: ${error instanceof Error ? error.message : String(error)}\nNothing was copied.\n`,
  )
  process.exitCode = 1
}
