/** A process that draws tokens beside others: `node drawer.ts <url> <how many>`. What each draw was told is a line on its output. */
import { openStore } from '../../src/store/openStore.ts'
import { drawFrom } from './draw.ts'

const [url = '', count = ''] = process.argv.slice(2)
const store = await openStore({ url })
for (const moment of await drawFrom(store, Number(count))) console.log(moment)
await store.close()
