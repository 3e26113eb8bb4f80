/** The echo bot of the Bot Framework's documentation, on restify. */
import {
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  ConfigurationServiceClientCredentialFactory,
} from 'botbuilder'
import restify from 'restify'

const { PORT, APP_ID, APP_SECRET, TENANT_ID } = process.env
const credentials = new ConfigurationServiceClientCredentialFactory({
  MicrosoftAppId: APP_ID,
  MicrosoftAppPassword: APP_SECRET,
  MicrosoftAppType: 'SingleTenant',
  MicrosoftAppTenantId: TENANT_ID,
})
const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}, credentials))
adapter.onTurnError = async (_context, error) => {
  console.error(error)
  throw error
}

const server = restify.createServer()
server.use(restify.plugins.bodyParser())
server.post('/api/messages', async (request, response) => {
  await adapter.process(request, response, async (context) => {
    await context.sendActivity(`You said: ${context.activity.text}`)
  })
})
server.listen(Number(PORT), '127.0.0.1')
