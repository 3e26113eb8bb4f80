/**
 * A process that appends to the log of one link, to be killed or to compete. Each acknowledged version is a line on
 * its output. `node appender.ts <url> <link> <how many> [die]`: with `die`, the last dies just before its commit.
 */
import { writeSync } from 'node:fs'
import { openStore } from '../../src/store/openStore.ts'
import { appending, noon, unposted } from './samples.ts'

const [url = '', link = '', count = '', die] = process.argv.slice(2)
let left = Number(count)
const store = await openStore({
  url,
  onCommit: () => {
    if (die && left === 1) process.kill(process.pid, 'SIGKILL')
  },
})
for (; left > 0; left -= 1) {
  const version = await store.transact(link, [], appending(unposted(noon + left)))
  writeSync(1, `${version + 1}\n`)
}
await store.close()
