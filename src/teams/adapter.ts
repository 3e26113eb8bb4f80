/** The Bot Framework's adapter: who may speak for the bot, how its calls to Teams are signed, and how often they are made. */
import {
  type Activity,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type InvokeResponse,
  type TurnContext,
} from 'botbuilder'

type Framework = ConfigurationBotFrameworkAuthentication
type ConnectorFactory = ReturnType<Framework['createConnectorFactory']>
type CredentialsFactory = NonNullable<
  ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[1]
>
/** A token that held: who the bot speaks to, and how. */
export type Authenticated = Awaited<ReturnType<Framework['authenticateRequest']>>

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
const publicIssuer = 'https://api.botframework.com'

/** Teams is given this long to answer one call of a turn; the messenger sets its own. */
const callDeadlineMs = 10_000

export class BotAdapter extends CloudAdapter {
  /** The adapter's `process` prints to the console and answers errors with their raw text; this does neither. */
  answer(
    authenticated: Authenticated,
    activity: Activity,
    turn: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    return this.processActivity(authenticated, activity, turn)
  }
}

export type Authentication = {
  readonly required: boolean
  readonly issuer: string
  /** Checks the token against the activity; rejects when it does not hold. */
  authenticate(activity: Activity, authorization: string): Promise<Authenticated>
}

/** The adapter, and its check of a caller's token for the guard. */
export function createAdapter(identity: Identity): { adapter: BotAdapter; authentication: Authentication } {
  const { cloud } = identity
  const framework = new ConfigurationBotFrameworkAuthentication(
    identity.appId === undefined ? {} : settingsOf(identity),
    identity.appId !== undefined && cloud && identity.password !== undefined
      ? clientCredentials({ appId: identity.appId, password: identity.password, cloud })
      : undefined,
  )
  const authenticate = framework.authenticateRequest.bind(framework)
  const connectorFactory = framework.createConnectorFactory.bind(framework)
  const authenticateOnce: typeof authenticate = async (activity, authorization) => {
    const result = await authenticate(activity, authorization)
    return {
      ...result,
      ...(result.connectorFactory && { connectorFactory: sentOnce(result.connectorFactory) }),
    }
  }
  framework.authenticateRequest = authenticateOnce
  framework.createConnectorFactory = (claims) => sentOnce(connectorFactory(claims))
  return {
    adapter: new BotAdapter(framework),
    authentication: {
      required: identity.appId !== undefined,
      issuer: cloud?.issuer ?? publicIssuer,
      authenticate: authenticateOnce,
    },
  }
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

/**
 * The connector client sends a POST up to four times, and Teams has no idempotency key: a card would be there
 * twice. Its options for that are ignored (4.23.3), so the policy is taken out of its pipeline.
 */
function sentOnce(factory: ConnectorFactory): ConnectorFactory {
  return {
    async create(serviceUrl, audience) {
      const connector = await factory.create(serviceUrl, audience)
      const { pipeline } = (connector as unknown as { client: ConnectorPipeline }).client
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
/** What we use of the client's pipeline, which its own types do not show. */
type ConnectorPipeline = {
  readonly pipeline: {
    removePolicy(which: { readonly name: string }): unknown
    addPolicy(policy: {
      readonly name: string
      sendRequest(
        request: { timeout: number },
        next: (request: { timeout: number }) => Promise<unknown>,
      ): Promise<unknown>
    }): void
  }
}

/**
 * The bot's own token from another authority, by the OAuth client credentials grant. MSAL would ask
 * login.microsoftonline.com first whether it knows that authority.
 */
function clientCredentials(options: { appId: string; password: string; cloud: Cloud }): CredentialsFactory {
  const { appId, password, cloud } = options
  let held: { readonly token: Promise<string>; readonly until: number } | undefined
  const token = (): Promise<string> => {
    if (held && Date.now() < held.until) return held.token
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
      () => {
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
    // The code is what the log keeps of an error: `invalid_client` is a wrong secret, `invalid_scope` a wrong BOT_SCOPE.
    throw Object.assign(new Error('The authority gave no token'), { code, statusCode: response.status })
  return { token, expiresInMs: (typeof seconds === 'number' ? seconds : 3600) * 1000 }
}
