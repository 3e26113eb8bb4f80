/**
 * A process that keeps one PostgreSQL server for a whole test run: started when somebody first asks for it, gone when
 * whoever began the run ends, however that happens, since then the pipe to its standard input closes.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type Server, startServer } from './server.ts'

let starting: Promise<Server> | undefined
const door = createServer((_, response) => {
  starting ??= startServer()
  starting.then(
    (server) => response.end(server.url('postgres')),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
door.listen(0, '127.0.0.1')
await once(door, 'listening')
const address = door.address()
process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/\n`)

process.stdin.resume()
await once(process.stdin, 'close')
door.close()
door.closeAllConnections()
await starting?.then((server) => server.stop())
process.exit(0)
