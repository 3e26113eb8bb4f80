/** The official ARM clients, made in one place: where they go, as whom, in which version, and what they may not do by themselves. */
import type { AuthorizationManagementClient } from '@azure/arm-authorization'
import type { KeyVaultManagementClient } from '@azure/arm-keyvault'
import type { ResourceGraphClient } from '@azure/arm-resourcegraph'
import type { SignalRManagementClient } from '@azure/arm-signalr'
import type { HttpClient, PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline'
import type { TokenCredential } from '@azure/identity'
import { garbled, record, text } from './parse.ts'
import { patience, type Waits } from './patience.ts'

/** The client's own default, 2023-02-01, lacks the replicas. */
export const signalrApiVersion = '2024-03-01'
const subscriptionsApiVersion = '2022-12-01'

export type Clients = {
  signalr(subscription: string): Promise<SignalRManagementClient>
  keyVault(subscription: string): Promise<KeyVaultManagementClient>
  authorization(): Promise<AuthorizationManagementClient>
  resourceGraph(): Promise<ResourceGraphClient>
  /** A GET that no client has a method for: a path under the endpoint, or an address that ARM gave. */
  get(address: string, signal: AbortSignal): Promise<Answer>
  /** The ids of the subscriptions that the bot sees. */
  subscriptions(signal: AbortSignal): Promise<readonly string[]>
  /** The bot's own access token. */
  token(signal: AbortSignal): Promise<string>
  /** Loads what the first turn would otherwise wait for. */
  warm(): Promise<void>
}
export type Answer = { readonly status: number; readonly body: unknown }

type Settings = {
  readonly endpoint: string
  readonly credential: TokenCredential
  /** Whom the credential stands for. */
  readonly principal: string
  readonly audience?: string
  readonly deadlineMs: number
  readonly waits: Waits
  readonly now: () => number
  /** Hears what each answer says of how many reads its subscription has left. */
  readonly heard?: (url: string, remaining: string | undefined) => void
}

const isLoopback = (host: string): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(host)

/** Whether an address is the endpoint's own: the bot's token goes nowhere else, whatever a header or a record says. */
function isOwn(address: string, endpoint: URL): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, host } = new URL(address)
  // ARM hands out addresses of its regions: westeurope.management.azure.com.
  return protocol === 'https:' && (host === endpoint.host || host.endsWith(`.${endpoint.host}`))
}

/** The clients take from here on only what is a success; the rest is one kind of error with the whole answer in it. */
type Pipeline = typeof import('@azure/core-rest-pipeline')
const onlySuccess = ({ RestError }: Pipeline): PipelinePolicy => ({
  name: 'onlySuccess',
  async sendRequest(request, next) {
    const response = await next(request)
    // Their own reading of error bodies breaks on an empty one and takes the status with it. 401 goes on: the
    // authentication policy answers a claims challenge. A redirect is not followed: a PUT is sent once.
    if (response.status < 300 || response.status === 401) return response
    throw new RestError(`ARM answered ${response.status}`, {
      statusCode: response.status,
      request,
      response,
    })
  },
})

/** Goes to the endpoint alone, and never waits longer than the deadline, not even for the pages that forget the signal. */
function transport(
  pipeline: Pipeline,
  endpoint: URL,
  plain: boolean,
  { deadlineMs, heard }: Pick<Settings, 'deadlineMs' | 'heard'>,
): HttpClient {
  const inner = pipeline.createDefaultHttpClient()
  return {
    async sendRequest(request) {
      if (!isOwn(request.url, endpoint)) throw new Error(`Not an address of ${endpoint.host}`)
      if (request.timeout === 0) request.timeout = deadlineMs
      const response = plain
        ? { ...(await inner.sendRequest(inTheClear(request))), request }
        : await inner.sendRequest(request)
      heard?.(request.url, response.headers.get('x-ms-ratelimit-remaining-subscription-reads'))
      return response
    },
  }
}

/**
 * The clients send no bearer token without TLS. Towards a loopback in plain http they therefore believe in https, and
 * the last step strips it; the header asks the peer to hand out https addresses, so that they go on believing.
 */
function inTheClear(request: PipelineRequest): PipelineRequest {
  // A proxy from the environment is no way to one's own machine.
  const { agent: _agent, proxySettings: _proxy, ...rest } = request
  request.headers.set('x-forwarded-proto', 'https')
  return { ...rest, url: request.url.replace(/^https:/, 'http:'), allowInsecureConnection: true }
}

/** As many subscriptions as one bot plausibly serves: names that people type must not grow a table for ever. */
const mostKept = 100

function kept<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const all = new Map<string, Promise<T>>()
  return (key) => {
    const known = all.get(key)
    if (known) return known
    const made = make(key)
    all.set(key, made)
    const [oldest] = all.keys()
    if (all.size > mostKept && oldest !== undefined) all.delete(oldest)
    return made
  }
}

/** Imports on first use: each client costs a tenth of a second, and a bot that only greets needs none. */
function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

/** The lists of rights take a scope; the client wants a subscription all the same. */
const noSubscription = '00000000-0000-0000-0000-000000000000'

const parseBody = (body: string | null | undefined): unknown => (body ? JSON.parse(body) : undefined)

/** The endpoint as the clients believe it to be, and as tokens name it. */
function secured(endpoint: string): URL {
  const own = new URL(endpoint)
  own.protocol = 'https:'
  return own
}

/** What a token is asked for that the endpoint takes. */
export const tokenScope = (endpoint: string, audience: string = secured(endpoint).href): string =>
  `${audience.replace(/\/+$/, '')}/.default`

export function createClients(settings: Settings): Clients {
  const { endpoint: given, credential, audience } = settings
  const url = new URL(given)
  const plain = url.protocol === 'http:'
  if (plain && !isLoopback(url.hostname))
    throw new Error(`The ARM endpoint ${url.origin} must be https: a token is never sent in the clear`)
  const own = secured(given)
  const endpoint = own.href.replace(/\/+$/, '')
  const scope = tokenScope(given, audience)

  const common = lazily(async () => {
    const pipeline = await import('@azure/core-rest-pipeline')
    const options = {
      endpoint,
      // A PUT repeated after a reset has overridden an owner's rejection: what failed is looked at again, not sent again.
      retryOptions: { maxRetries: 0 },
      httpClient: transport(pipeline, own, plain, settings),
      additionalPolicies: [onlySuccess(pipeline), patience(pipeline, settings)].map((policy) => ({
        policy,
        position: 'perRetry' as const,
      })),
    }
    return { pipeline, options }
  })
  const signalr = kept(async (subscription) => {
    const [{ SignalRManagementClient }, { options }] = await Promise.all([
      import('@azure/arm-signalr'),
      common(),
    ])
    return new SignalRManagementClient(credential, subscription, {
      ...options,
      credentialScopes: scope,
      apiVersion: signalrApiVersion,
    })
  })
  const modern = async (): Promise<
    Awaited<ReturnType<typeof common>>['options'] & { credentials: { scopes: string[] } }
  > => ({
    ...(await common()).options,
    credentials: { scopes: [scope] },
  })
  const keyVault = kept(async (subscription) => {
    const [{ KeyVaultManagementClient }, options] = await Promise.all([
      import('@azure/arm-keyvault'),
      modern(),
    ])
    return new KeyVaultManagementClient(credential, subscription, options)
  })
  const authorization = lazily(async () => {
    const [{ AuthorizationManagementClient }, { options }] = await Promise.all([
      import('@azure/arm-authorization'),
      common(),
    ])
    return new AuthorizationManagementClient(credential, noSubscription, {
      ...options,
      credentialScopes: scope,
    })
  })
  const resourceGraph = lazily(async () => {
    const [{ ResourceGraphClient }, options] = await Promise.all([
      import('@azure/arm-resourcegraph'),
      modern(),
    ])
    return new ResourceGraphClient(credential, options)
  })
  // Not by way of a client's own pipeline: it would write its own api-version over that of the address.
  const bare = lazily(async () => {
    const { pipeline, options } = await common()
    const made = pipeline.createPipelineFromOptions({ retryOptions: options.retryOptions })
    made.addPolicy(pipeline.bearerTokenAuthenticationPolicy({ credential, scopes: scope }))
    for (const { policy } of options.additionalPolicies) made.addPolicy(policy, { afterPhase: 'Sign' })
    return (request: PipelineRequest) => made.sendRequest(options.httpClient, request)
  })
  const get = async (address: string, signal: AbortSignal): Promise<Answer> => {
    const [{ pipeline }, send] = await Promise.all([common(), bare()])
    const { status, bodyAsText } = await send(
      pipeline.createPipelineRequest({
        url: address.startsWith('/') ? `${endpoint}${address}` : address,
        abortSignal: signal,
      }),
    )
    return { status, body: parseBody(bodyAsText) }
  }
  return {
    signalr,
    keyVault,
    authorization,
    resourceGraph,
    get,
    async subscriptions(signal) {
      const ids: string[] = []
      let page: string | undefined = `/subscriptions?api-version=${subscriptionsApiVersion}`
      while (page !== undefined) {
        const { value, nextLink } = record((await get(page, signal)).body)
        if (!Array.isArray(value)) throw garbled('the value of a list')
        ids.push(...value.flatMap((row) => text(record(row).subscriptionId) ?? []))
        page = text(nextLink)
      }
      return ids
    },
    async token(signal) {
      const token = await credential.getToken(scope, { abortSignal: signal })
      if (!token) throw new Error('The credential gave no token')
      return token.token
    },
    async warm() {
      await Promise.all([signalr(noSubscription), keyVault(noSubscription), authorization(), resourceGraph()])
    },
  }
}
