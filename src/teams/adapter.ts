/** The Bot Framework's adapter: as whom turns run, how the bot's calls to Teams are signed, where they go and how often. */
import {
  type Activity,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type InvokeResponse,
  type TurnContext,
} from 'botbuilder'
import type { Traffic } from '../engine/ports.ts'
import type { Incoming } from './activity.ts'
import type { IsListed } from './services.ts'
import { counting, retryAfter } from './throttling.ts'

type Framework = ConfigurationBotFrameworkAuthentication
type ConnectorFactory = ReturnType<Framework['createConnectorFactory']>
type CredentialsFactory = NonNullable<
  ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[1]
>
export type Identity = {
  /** Absent in the sandbox alone: then no token is asked for or sent. */
  readonly appId?: string
  readonly tenantId?: string
  readonly appType?: 'SingleTenant' | 'UserAssignedMSI'
  readonly password?: string
  /** Identity servers other than the public cloud's: a local Teams, or a sovereign cloud. */
  readonly cloud?: Cloud
}
type Cloud = {
  /** Where the keys are published with which Teams signs its calls, and the issuer that those tokens name. */
  readonly openIdMetadataUrl: string
  readonly issuer: string
  /** Where the bot gets its own token: `https://<host>/<tenant>`, and for which scope. */
  readonly authority: string
  readonly scope: string
}
/** learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication */
export const publicCloud = {
  openIdMetadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  issuer: 'https://api.botframework.com',
  scope: 'https://api.botframework.com',
}

/** Teams is given this long to answer one call of a turn; the messenger sets its own. */
const callDeadlineMs = 10_000

export class BotAdapter extends CloudAdapter {
  readonly #framework: Framework
  readonly #appId: string
  readonly #audience: string
  readonly #traffic: Traffic | undefined
  constructor(framework: Framework, appId: string, audience: string, traffic: Traffic | undefined) {
    super(framework)
    this.#traffic = traffic
    this.#framework = framework
    this.#appId = appId
    this.#audience = audience
  }

  /**
   * Runs a turn for what the guard let in. The adapter's `process` would ask the SDK for the token's worth once more,
   * print to the console, and answer errors with their raw text; this does none of it.
   */
  async answer(
    incoming: Incoming,
    turn: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    // Whom the guard believes is always the Bot Connector, speaking to this bot.
    const claimsIdentity = this.createClaimsIdentity(this.#appId)
    const authenticated = {
      claimsIdentity,
      connectorFactory: counted(this.#framework.createConnectorFactory(claimsIdentity), this.#traffic),
      audience: this.#audience,
    }
    const answered = await this.processActivity(authenticated, activityOf(incoming), turn)
    // What the SDK says of an invoke that the bot does not know: the caller's oddity, and no fault of the server's.
    return answered?.status === 501 ? { status: 400 } : answered
  }
}

/**
 * What the guard read, and nothing else that came with it: `deliveryMode`, say, would have the turn's words sent back in
 * the answer instead of to Teams.
 */
function activityOf(incoming: Incoming): Activity {
  const { type, id, channelId, serviceUrl, from, recipient, conversation, kind, tenants, team } = incoming
  const [tenantId] = tenants
  // The type wants every field that any channel may send.
  return {
    type,
    ...(id && { id }),
    channelId,
    serviceUrl,
    from: { id: from.id, name: from.name ?? '', aadObjectId: from.objectId },
    recipient: { id: recipient, name: '' },
    conversation: {
      id: conversation,
      conversationType: kind === 'group' ? 'groupChat' : kind,
      isGroup: kind !== 'personal',
      tenantId,
    },
    channelData: { tenant: { id: tenantId }, ...(team && { team: { id: team } }) },
  } as Activity
}

/**
 * The adapter. It calls no service that is not listed, whoever named it, and tells `traffic` of each turn's calls. `now`:
 * by which it waits where the bot's own token comes from asked for that.
 */
export function createAdapter(
  identity: Identity,
  isListed: IsListed,
  traffic?: Traffic,
  now: () => number = Date.now,
): BotAdapter {
  const { cloud } = identity
  const framework = new ConfigurationBotFrameworkAuthentication(
    identity.appId === undefined ? {} : settingsOf(identity),
    identity.appId !== undefined && cloud && identity.password !== undefined
      ? clientCredentials({ appId: identity.appId, password: identity.password, cloud, now })
      : undefined,
  )
  // The SDK's own gates, with the emulator's among them, are closed: there is the guard, and no other way in.
  const closed = (): Promise<never> => Promise.reject(new Error('Only the guard lets anybody in'))
  framework.authenticateRequest = closed
  framework.authenticateStreamingRequest = closed
  framework.authenticateChannelRequest = closed
  const connectorFactory = framework.createConnectorFactory.bind(framework)
  framework.createConnectorFactory = (claims) => toTeamsOnce(connectorFactory(claims), isListed)
  return new BotAdapter(framework, identity.appId ?? '', (cloud ?? publicCloud).scope, traffic)
}

function settingsOf({ appId, tenantId, appType, password, cloud }: Identity): Record<string, string> {
  return {
    MicrosoftAppId: appId ?? '',
    MicrosoftAppTenantId: tenantId ?? '',
    MicrosoftAppType: appType === 'UserAssignedMSI' ? 'UserAssignedMsi' : 'SingleTenant',
    ...(password !== undefined && { MicrosoftAppPassword: password }),
    ...(cloud && {
      ValidateAuthority: 'true',
      ToChannelFromBotLoginUrl: cloud.authority,
      ToChannelFromBotOAuthScope: cloud.scope,
      ToBotFromChannelTokenIssuer: cloud.issuer,
      OAuthUrl: cloud.authority,
      ToBotFromChannelOpenIdMetadataUrl: cloud.openIdMetadataUrl,
      ToBotFromEmulatorOpenIdMetadataUrl: cloud.openIdMetadataUrl,
    }),
  }
}

/** A service that is not on the list was to be called: a stored reference of another time, or of somebody's making. */
class ServiceNotListed extends Error {
  override readonly name = 'ServiceNotListed'
}

/**
 * Clients for listed hosts alone. The connector client sends a POST up to four times, and Teams has no idempotency key:
 * a card would be there twice. Its options for that are ignored (4.23.3), so the policy is taken out of its pipeline.
 */
function toTeamsOnce(factory: ConnectorFactory, isListed: IsListed): ConnectorFactory {
  return {
    async create(serviceUrl, audience) {
      if (!isListed(serviceUrl)) throw new ServiceNotListed()
      const connector = await factory.create(serviceUrl, audience)
      const pipeline = pipelineOf(connector)
      pipeline.removePolicy({ name: 'defaultRetryPolicy' })
      pipeline.addPolicy({
        name: 'deadline',
        sendRequest(request, next) {
          if (!request.timeout) request.timeout = callDeadlineMs
          return next(request)
        },
      })
      return connector
    },
  }
}
function counted(factory: ConnectorFactory, traffic: Traffic | undefined): ConnectorFactory {
  if (!traffic) return factory
  return {
    async create(serviceUrl, audience) {
      const connector = await factory.create(serviceUrl, audience)
      // Where the retries stood: further out, a refusal is an error without its headers.
      pipelineOf(connector).addPolicy(counting(traffic), { phase: 'Retry' })
      return connector
    },
  }
}

/** What we use of the client's pipeline, which its own types do not show. */
type Pipeline = {
  removePolicy(which: { readonly name: string }): unknown
  addPolicy(
    policy: {
      readonly name: string
      sendRequest(request: Request, next: (request: Request) => Promise<unknown>): Promise<unknown>
    },
    options?: { readonly phase: 'Retry' },
  ): void
}
type Request = { timeout: number; readonly url: string; readonly method: string }
const pipelineOf = (connector: unknown): Pipeline =>
  (connector as { client: { pipeline: Pipeline } }).client.pipeline

/**
 * The bot's own token from another authority, by the OAuth client credentials grant. MSAL would ask
 * login.microsoftonline.com first whether it knows that authority.
 */
function clientCredentials(options: {
  appId: string
  password: string
  cloud: Cloud
  now: () => number
}): CredentialsFactory {
  const { appId, password, cloud, now } = options
  let held: { readonly token: Promise<string>; readonly until: number } | undefined
  let notBefore = 0
  const token = (): Promise<string> => {
    if (held && Date.now() < held.until) return held.token
    if (now() < notBefore) return Promise.reject(new NoToken({ statusCode: 503 }))
    const fetched = fetchToken(options)
    // Asked again a while before the end, and at once when it was not given.
    const kept = {
      token: fetched.then(({ token }) => token),
      until: Date.now() + callDeadlineMs,
    }
    held = kept
    fetched.then(
      ({ expiresInMs }) => {
        if (held === kept) held = { ...kept, until: Date.now() + expiresInMs / 2 }
      },
      (error: unknown) => {
        if (error instanceof NoToken) notBefore = now() + (error.retryAfterMs ?? 0)
        if (held === kept) held = undefined
      },
    )
    return kept.token
  }
  return {
    createCredentials: async () => ({
      async signRequest(request) {
        request.headers.set('authorization', `Bearer ${await token()}`)
        return request
      },
    }),
    isAuthenticationDisabled: async () => false,
    isValidAppId: async (candidate) => candidate === appId && password !== '' && cloud.authority !== '',
  }
}

/** The code is what the log keeps of an error: `invalid_client` is a wrong secret, `invalid_scope` a wrong BOT_SCOPE. */
class NoToken extends Error {
  override readonly name = 'NoToken'
  readonly code: unknown
  readonly statusCode: number
  readonly retryAfterMs: number | undefined
  constructor(why: { code?: unknown; statusCode: number; retryAfterMs?: number | undefined }) {
    super('The authority gave no token')
    this.code = why.code
    this.statusCode = why.statusCode
    this.retryAfterMs = why.retryAfterMs
  }
}

async function fetchToken(options: {
  appId: string
  password: string
  cloud: Cloud
}): Promise<{ token: string; expiresInMs: number }> {
  const response = await fetch(`${options.cloud.authority}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: options.appId,
      client_secret: options.password,
      scope: `${options.cloud.scope}/.default`,
    }),
    signal: AbortSignal.timeout(callDeadlineMs),
  })
  const body: unknown = await response.json()
  const {
    access_token: token,
    expires_in: seconds,
    error: code,
  } = body as { access_token?: unknown; expires_in?: unknown; error?: unknown }
  if (!response.ok || typeof token !== 'string')
    throw new NoToken({
      code,
      statusCode: response.status,
      retryAfterMs: retryAfter(response.headers, Date.now()),
    })
  return { token, expiresInMs: (typeof seconds === 'number' ? seconds : 3600) * 1000 }
}
