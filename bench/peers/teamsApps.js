/** The echo bot of the Teams SDK's documentation, on a server that listens on this machine alone. */
import { createServer } from 'node:http'
import { App, ExpressAdapter } from '@microsoft/teams.apps'

const { PORT, APP_ID, APP_SECRET, TENANT_ID } = process.env
const server = createServer()
const app = new App({
  clientId: APP_ID,
  clientSecret: APP_SECRET,
  tenantId: TENANT_ID,
  httpServerAdapter: new ExpressAdapter(server),
})
app.on('message', async ({ reply, activity }) => {
  await reply(`You said: ${activity.text}`)
})
app.event('error', ({ error }) => console.error(error))
await app.initialize()
server.listen(Number(PORT), '127.0.0.1')
