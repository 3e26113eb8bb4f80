/** The echo bot of the Microsoft 365 Agents SDK's documentation, on express. */
import { authorizeJWT, CloudAdapter, loadAuthConfigFromEnv } from '@microsoft/agents-hosting'
import express from 'express'

const { PORT } = process.env
const settings = loadAuthConfigFromEnv()
const adapter = new CloudAdapter(settings)
adapter.onTurnError = async (_context, error) => {
  console.error(error)
  throw error
}

const server = express()
server.use(express.json())
server.use(authorizeJWT(settings))
server.post('/api/messages', async (request, response) => {
  await adapter.process(request, response, async (context) => {
    await context.sendActivity(`You said: ${context.activity.text}`)
  })
})
server.listen(Number(PORT), '127.0.0.1')
