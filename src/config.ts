/**
 * The environment, read and checked in this one place. All problems come at once, each with the variable's name and
 * what to write; no value of a secret is ever printed.
 */
import { isIP } from 'node:net'
import type { Limits } from './link/link.ts'
import { parseWorkingHours, type WorkingHours } from './workingHours.ts'

export type Config = {
  readonly host: string
  readonly port: number
  readonly probes: { readonly host: string; readonly port: number }
  /** The hosts at which Teams may be called, each with its port where that is not https' own. */
  readonly serviceHosts: readonly string[]
  /** Absent in the sandbox alone: then nobody is authenticated, and only loopback is listened on. */
  readonly bot: {
    readonly appId?: string
    readonly tenantId?: string
    readonly appType: 'SingleTenant' | 'UserAssignedMSI'
    readonly password?: string
    readonly cloud?: {
      readonly openIdMetadataUrl: string
      readonly issuer: string
      readonly authority: string
      readonly scope: string
    }
  }
  readonly databaseUrl: string
  /** How long a record is held for an instance that says nothing any more. */
  readonly leaseMs: number
  /** How often at least the audit log's head is written into the bot's own log. */
  readonly anchorMs: number
  readonly arm: { readonly endpoint: string; readonly clientId?: string; readonly deadlineMs: number }
  /** Present where owners decide as themselves: the application that acts on Azure for them. */
  readonly approver?: {
    readonly tenantId: string
    readonly appId: string
    /** Without one the managed identity vouches for it. */
    readonly password?: string
    /** As its registration names it. */
    readonly uri: string
    /** Where its tokens come from, unless that is the public cloud's Entra ID. */
    readonly authorityHost?: string
  }
  /** Present where Event Grid sends events: whose tokens it has to bring, and what they are for. */
  readonly events?: {
    readonly tenantId: string
    readonly audiences: readonly string[]
    readonly authorityHost: string
    readonly openIdMetadataUrl: string
  }
  readonly defaultOwners?: string
  /** The channel that hears of a request when its owners do not answer. */
  readonly escalation?: string
  /** Who may use the bot beside the organisation's own people. */
  readonly admits: readonly (typeof outsiders)[number][]
  readonly portal: string
  readonly timeZone: string
  readonly workingHours: WorkingHours
  readonly turnReadsMs: number
  readonly limits: Limits
  /** What only `VAULTLINK_MODE=sandbox` brings: a clock that turns, places to be killed, a token of no worth. */
  readonly sandbox?: {
    readonly clockOffsetMs: number
    readonly crashAt: readonly string[]
    readonly sendsFaster: number
  }
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

type Group = 'Bot' | 'Azure' | 'Approving' | 'Events' | 'Storage' | 'Owners and words' | 'Times' | 'Sandbox'
export type Setting = {
  readonly name: string
  readonly group: Group
  readonly what: string
  readonly default?: string
  readonly secret?: true
}

const usualDatabase = 'data/vaultlink.db'
const publicAuthority = 'https://login.microsoftonline.com'
/** microsoft.github.io/teams-sdk/csharp/essentials/app-configuration/service-url-validation names them for each cloud. */
const publicHosts = [
  'smba.trafficmanager.net',
  'smba.onyx.prod.teams.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
]

/** Every variable that is read, in the order in which a person would set them; `docs/configuration.md` is made from it. */
export const settings = [
  { name: 'PORT', group: 'Bot', what: 'The port to listen on', default: '3978' },
  {
    name: 'PROBE_PORT',
    group: 'Bot',
    what: 'The port of `/healthz`, `/readyz` and `/metrics`',
    default: '3979',
  },
  {
    name: 'PROBE_HOST',
    group: 'Bot',
    what: 'The address that those listen on: `0.0.0.0` where probes come from outside, as in a container',
    default: '127.0.0.1',
  },
  { name: 'MicrosoftAppId', group: 'Bot', what: 'The app id of the bot registration (a GUID). Required' },
  {
    name: 'MicrosoftAppTenantId',
    group: 'Bot',
    what: 'The tenant whose people may use the bot (a GUID). Required',
  },
  {
    name: 'MicrosoftAppType',
    group: 'Bot',
    what: '`SingleTenant` or `UserAssignedMSI`',
    default: 'UserAssignedMSI',
  },
  {
    name: 'MicrosoftAppPassword',
    group: 'Bot',
    what: 'The client secret, for `SingleTenant` only',
    secret: true,
  },
  {
    name: 'BOT_SERVICE_HOSTS',
    group: 'Bot',
    what: 'The hosts at which Teams may be called, with commas between them. Whatever names another is turned away, and that is an alarm',
    default: publicHosts.join(', '),
  },
  {
    name: 'BOT_OPENID_METADATA_URL',
    group: 'Bot',
    what: 'For clouds other than the public one: where Teams publishes its keys. Set with the three below and `BOT_SERVICE_HOSTS`',
  },
  { name: 'BOT_TOKEN_ISSUER', group: 'Bot', what: 'The issuer that those tokens name' },
  {
    name: 'BOT_AUTHORITY',
    group: 'Bot',
    what: 'Where the bot gets its own token: `https://<host>/<tenant>`',
  },
  { name: 'BOT_SCOPE', group: 'Bot', what: 'The scope of that token' },
  {
    name: 'ARM_ENDPOINT',
    group: 'Azure',
    what: 'Azure Resource Manager',
    default: 'https://management.azure.com',
  },
  {
    name: 'AZURE_CLIENT_ID',
    group: 'Azure',
    what: 'The client id of the managed identity that acts on Azure',
    default: 'the value of MicrosoftAppId; with SingleTenant the bot registration itself acts',
  },
  {
    name: 'VAULTLINK_CALL_SECONDS',
    group: 'Azure',
    what: 'The deadline of each call to Azure',
    default: '20',
  },
  {
    name: 'APPROVE_AS',
    group: 'Approving',
    what: '`bot`: the bot reads whether a person may approve, and does it. `approver`: they do it as themselves, by their own token, and the bot only reads vaults',
    default: 'bot',
  },
  {
    name: 'APPROVER_APP_ID',
    group: 'Approving',
    what: 'The app registration that acts on Azure for people (a GUID), not that of the bot. Required with `approver`',
  },
  {
    name: 'APPROVER_APP_PASSWORD',
    group: 'Approving',
    what: 'Its client secret. Left out, the managed identity vouches for it by a federated credential; with `SingleTenant` it is required',
    secret: true,
  },
  {
    name: 'APPROVER_APP_URI',
    group: 'Approving',
    what: 'Its Application ID URI, as in the `webApplicationInfo` of the Teams app',
    default: '`api://botid-` and the value of MicrosoftAppId',
  },
  {
    name: 'AZURE_AUTHORITY_HOST',
    group: 'Approving',
    what: 'For clouds other than the public one: where its tokens come from, and those of Event Grid, as `https://login.microsoftonline.us`',
  },
  {
    name: 'EVENT_GRID_APP_ID',
    group: 'Events',
    what: 'The app registration that stands for `/api/azure-events` (a GUID), not that of the bot. Left out, that path does not exist',
  },
  {
    name: 'EVENT_GRID_APP_URI',
    group: 'Events',
    what: 'Its Application ID URI',
    default: '`api://` and the value of EVENT_GRID_APP_ID',
  },
  {
    name: 'EVENT_GRID_TENANT_ID',
    group: 'Events',
    what: 'The tenant that it is registered in (a GUID)',
    default: 'the value of MicrosoftAppTenantId',
  },
  {
    name: 'EVENT_GRID_OPENID_METADATA_URL',
    group: 'Events',
    what: 'Where that tenant publishes its keys',
    default: 'its OpenID document at AZURE_AUTHORITY_HOST',
  },
  {
    name: 'DATABASE_URL',
    group: 'Storage',
    what: 'A path for SQLite, never on a network share; or `postgres://<user>:<password>@<host>/<database>?sslmode=verify-full` for PostgreSQL and any number of instances',
    secret: true,
    default: usualDatabase,
  },
  {
    name: 'VAULTLINK_LEASE_SECONDS',
    group: 'Storage',
    what: 'With several instances: how long what one of them was working on waits when it dies',
    default: '30',
  },
  {
    name: 'VAULTLINK_ANCHOR_MINUTES',
    group: 'Storage',
    what: "How often the audit log's head is written into the log, besides after each decision",
    default: '60',
  },
  {
    name: 'VAULTLINK_OWNERS_CHANNEL',
    group: 'Owners and words',
    what: 'The id of the channel that decides for vaults which nobody has claimed with `own`',
  },
  {
    name: 'VAULTLINK_ESCALATION_CHANNEL',
    group: 'Owners and words',
    what: 'The id of a second channel, which hears of a request whose reminders nobody answers. Say `help` to the bot there once, so that it can write there. A vault tagged `vaultlink-escalation` has its own',
  },
  {
    name: 'VAULTLINK_ADMIT',
    group: 'Owners and words',
    what: "Who may use the bot beside the organisation's own people: `guests` who were invited into it, `federated` people of other organisations, or both with a comma. They still need the rights; who is anonymous never may",
    default: 'nobody',
  },
  {
    name: 'VAULTLINK_PORTAL',
    group: 'Owners and words',
    what: 'The Azure portal that links open',
    default: 'https://portal.azure.com',
  },
  {
    name: 'VAULTLINK_TIME_ZONE',
    group: 'Owners and words',
    what: 'The time zone that cards are written in, and that working hours are meant in, as `Europe/Berlin`',
    default: 'UTC',
  },
  {
    name: 'VAULTLINK_EXPIRY_DAYS',
    group: 'Times',
    what: 'How long the owners have to answer: 1 to 30. Both sides are told a day ahead that the request ends',
    default: '7',
  },
  {
    name: 'VAULTLINK_REMIND_AFTER_HOURS',
    group: 'Times',
    what: 'How long after they were asked the owners are reminded in their thread, and from then on daily. `off`: never',
    default: '4',
  },
  {
    name: 'VAULTLINK_WORKING_HOURS',
    group: 'Times',
    what: 'When they may be reminded, with commas between, as `Mon-Thu 09:00-17:00, Fri 09:00-13:00`. `always`: at any time',
    default: 'Mon-Fri 09:00-17:00',
  },
  {
    name: 'VAULTLINK_ESCALATE_AFTER_REMINDERS',
    group: 'Times',
    what: 'After how many reminders that nobody answers the second channel hears of it, in place of the wait for the next',
    default: '2',
  },
  {
    name: 'VAULTLINK_TURN_SECONDS',
    group: 'Times',
    what: "How long a turn's reads may take before it answers that Azure is silent",
    default: '3',
  },
  {
    name: 'VAULTLINK_PROVISIONING_MINUTES',
    group: 'Times',
    what: 'The usual time to create the endpoint; past it the card says so',
    default: '15',
  },
  {
    name: 'VAULTLINK_PROPAGATING_MINUTES',
    group: 'Times',
    what: 'The usual time for an approval to reach SignalR',
    default: '30',
  },
  {
    name: 'VAULTLINK_ALARM_MINUTES',
    group: 'Times',
    what: 'After an approval that SignalR does not follow, when both sides are alarmed',
    default: '15',
  },
  {
    name: 'VAULTLINK_FRESH_DECISION_MINUTES',
    group: 'Times',
    what: "A decision older than this when it is applied has its maker's rights read again",
    default: '15',
  },
  {
    name: 'VAULTLINK_FIRST_LOOK_SECONDS',
    group: 'Times',
    what: 'How soon Azure is looked at while something moves',
    default: '2',
  },
  {
    name: 'VAULTLINK_LONGEST_LOOK_SECONDS',
    group: 'Times',
    what: 'How seldom at most while somebody is waited for; five times that when nothing has stirred for hours',
    default: '60',
  },
  {
    name: 'VAULTLINK_REST_LOOK_HOURS',
    group: 'Times',
    what: 'How often a link is looked at by itself while it works, or waits undisturbed: a survey of all shows sooner what changes',
    default: '24',
  },
  {
    name: 'VAULTLINK_EVENT_LOOK_SECONDS',
    group: 'Times',
    what: "How far apart looks are at least that Azure's events cause, however many come",
    default: '10',
  },
  {
    name: 'VAULTLINK_SETTLE_SECONDS',
    group: 'Times',
    what: 'How long after a write Azure may still show what was before',
    default: '30',
  },
  {
    name: 'VAULTLINK_FRESH_LOOK_SECONDS',
    group: 'Times',
    what: 'How old a look may be at most when Azure is written to; or twice as long as it took, if that is longer',
    default: '5',
  },
  {
    name: 'VAULTLINK_PIN_SECONDS',
    group: 'Times',
    what: 'How far apart the looks are at least that must show the same one connection before the owners are asked about it',
    default: '10',
  },
  {
    name: 'VAULTLINK_MODE',
    group: 'Sandbox',
    what: '`production`, or `sandbox`: listens on 127.0.0.1 alone, asks nobody who they are, and speaks to a local Azure only',
    default: 'production',
  },
  { name: 'VAULTLINK_CLOCK_OFFSET_MS', group: 'Sandbox', what: 'How far ahead the clock is', default: '0' },
  {
    name: 'VAULTLINK_SENDS_FASTER',
    group: 'Sandbox',
    what: 'How many times as fast as Teams allows messages are sent, to a local Teams without limits',
    default: '1',
  },
  {
    name: 'VAULTLINK_CRASH_AT',
    group: 'Sandbox',
    what: 'The moments at which the process kills itself, as `after put,before approve`',
  },
] as const satisfies readonly Setting[]
type Name = (typeof settings)[number]['name']

/** How an app registration may be named beside its id. */
export const applicationIdUri = /^(api|https):\/\/[^\s/]+(\/\S*[^\s/])?$/
const outsiders = ['guests', 'federated'] as const

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const loopback = ['127.0.0.1', 'localhost', '[::1]']

/** Reads the settings; throws a `ConfigError` with every problem that there is. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const known: readonly Setting[] = settings
  const get = (name: Name): string | undefined => environment[name]?.trim() || undefined
  const or = (name: Name): string =>
    get(name) ?? known.find((setting) => setting.name === name)?.default ?? ''
  const problem = (name: Name, write: string): void => void problems.push(`${name}: ${write}`)

  function number(name: Name, least: number, greatest: number, unitMs = 1, orElse = ''): number {
    const value = Number(or(name))
    if (!Number.isFinite(value) || value < least || value > greatest)
      problem(name, `write a number from ${least} to ${greatest}${orElse}`)
    return value * unitMs
  }
  function whole(name: Name, least: number, greatest: number): number {
    const value = number(name, least, greatest)
    if (value >= least && value <= greatest && !Number.isInteger(value)) problem(name, 'write a whole number')
    return value
  }
  function oneOf<T extends string>(name: Name, values: readonly T[]): T | undefined {
    const value = values.find((candidate) => candidate.toLowerCase() === or(name).toLowerCase())
    if (!value) problem(name, `write ${values.join(' or ')}`)
    return value
  }
  function url(name: Name, schemes: readonly string[]): URL | undefined {
    const text = or(name)
    if (URL.canParse(text) && schemes.includes(new URL(text).protocol)) return new URL(text)
    problem(name, `write an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`)
    return undefined
  }

  const mode = oneOf('VAULTLINK_MODE', ['production', 'sandbox'])
  const inSandbox = mode === 'sandbox'
  const arm = url('ARM_ENDPOINT', inSandbox ? ['https:', 'http:'] : ['https:'])
  if (inSandbox && arm && !loopback.includes(arm.hostname)) {
    problem(
      'ARM_ENDPOINT',
      'in sandbox mode write an address on 127.0.0.1; for the real Azure leave VAULTLINK_MODE out',
    )
  }
  const appType = oneOf('MicrosoftAppType', ['SingleTenant', 'UserAssignedMSI']) ?? 'UserAssignedMSI'
  const bot = readBot()
  for (const name of ['VAULTLINK_CLOCK_OFFSET_MS', 'VAULTLINK_SENDS_FASTER', 'VAULTLINK_CRASH_AT'] as const) {
    if (get(name) !== undefined && !inSandbox) problem(name, 'leave it out: it exists in sandbox mode alone')
  }
  const databaseUrl = or('DATABASE_URL')
  if (!isDatabase(databaseUrl)) problem('DATABASE_URL', noOtherDatabase)
  const timeZone = or('VAULTLINK_TIME_ZONE')
  if (!isTimeZone(timeZone)) problem('VAULTLINK_TIME_ZONE', 'write a time zone as Europe/Berlin, or UTC')
  const portal = url('VAULTLINK_PORTAL', ['https:'])
  const clientId = get('AZURE_CLIENT_ID') ?? (appType === 'UserAssignedMSI' ? bot.appId : undefined)
  if (clientId !== undefined && !guid.test(clientId) && clientId !== bot.appId)
    problem('AZURE_CLIENT_ID', 'write the client id of the managed identity (a GUID), or leave it out')
  const owners = get('VAULTLINK_OWNERS_CHANNEL')
  const escalation = get('VAULTLINK_ESCALATION_CHANNEL')
  for (const name of ['VAULTLINK_OWNERS_CHANNEL', 'VAULTLINK_ESCALATION_CHANNEL'] as const)
    if (!/^(19:\S+)?$/.test(or(name))) problem(name, 'write the id of a channel: it begins with 19:')
  if (escalation !== undefined && escalation === owners)
    problem('VAULTLINK_ESCALATION_CHANNEL', 'write another channel than VAULTLINK_OWNERS_CHANNEL')
  const workingHours = parseWorkingHours(or('VAULTLINK_WORKING_HOURS'))
  if (!workingHours)
    problem(
      'VAULTLINK_WORKING_HOURS',
      'write days and hours as Mon-Fri 09:00-17:00, with commas between, or always',
    )
  const authorityHost = get('AZURE_AUTHORITY_HOST')
    ? url('AZURE_AUTHORITY_HOST', ['https:'])?.origin
    : undefined
  const approver = readApprover()
  const events = readEvents()
  const probeHost = or('PROBE_HOST')
  if (isIP(probeHost) === 0)
    problem('PROBE_HOST', 'write an address of this machine, as 127.0.0.1 or 0.0.0.0')
  // In the sandbox minutes shrink to milliseconds, so fractions are as good as whole numbers.
  const least = inSandbox ? 0.000_01 : 0.1
  const second = 1_000
  const minute = 60 * second
  const hour = 60 * minute
  const config: Config = {
    host: inSandbox ? '127.0.0.1' : '0.0.0.0',
    port: whole('PORT', 0, 65_535),
    probes: { host: inSandbox ? '127.0.0.1' : probeHost, port: whole('PROBE_PORT', 0, 65_535) },
    serviceHosts: readServiceHosts(),
    bot: { ...bot, appType },
    databaseUrl,
    leaseMs: number('VAULTLINK_LEASE_SECONDS', inSandbox ? least : 5, 600, second),
    anchorMs: number('VAULTLINK_ANCHOR_MINUTES', least, 1_440, minute),
    arm: {
      endpoint: arm?.href.replace(/\/$/, '') ?? '',
      ...(clientId !== undefined && { clientId }),
      deadlineMs: number('VAULTLINK_CALL_SECONDS', least, 20, second),
    },
    ...(approver && { approver }),
    ...(events && { events }),
    ...(owners !== undefined && { defaultOwners: owners }),
    ...(escalation !== undefined && { escalation }),
    admits: admitted(),
    portal: portal?.origin ?? '',
    timeZone,
    workingHours: workingHours ?? [],
    turnReadsMs: number('VAULTLINK_TURN_SECONDS', least, 3.5, second),
    limits: {
      expiryMs: number('VAULTLINK_EXPIRY_DAYS', inSandbox ? least : 1, 30, 24 * hour),
      ...(or('VAULTLINK_REMIND_AFTER_HOURS').toLowerCase() !== 'off' && {
        reminders: {
          afterMs: number('VAULTLINK_REMIND_AFTER_HOURS', least, 720, hour, ', or off'),
          escalateAfter: whole('VAULTLINK_ESCALATE_AFTER_REMINDERS', 1, 30),
        },
      }),
      usualProvisioningMs: number('VAULTLINK_PROVISIONING_MINUTES', least, 1_440, minute),
      usualPropagatingMs: number('VAULTLINK_PROPAGATING_MINUTES', least, 1_440, minute),
      alarmMs: number('VAULTLINK_ALARM_MINUTES', least, 1_440, minute),
      pinMs: number('VAULTLINK_PIN_SECONDS', least, 600, second),
      freshDecisionMs: number('VAULTLINK_FRESH_DECISION_MINUTES', least, 1_440, minute),
      firstLookMs: number('VAULTLINK_FIRST_LOOK_SECONDS', least, 3_600, second),
      longestLookMs: number('VAULTLINK_LONGEST_LOOK_SECONDS', least, 3_600, second),
      restLookMs: number('VAULTLINK_REST_LOOK_HOURS', least, 168, hour),
      hintMs: number('VAULTLINK_EVENT_LOOK_SECONDS', least, 3_600, second),
      settleMs: number('VAULTLINK_SETTLE_SECONDS', least, 600, second),
      freshLookMs: number('VAULTLINK_FRESH_LOOK_SECONDS', least, 30, second),
    },
    ...(inSandbox && {
      sandbox: {
        clockOffsetMs: number('VAULTLINK_CLOCK_OFFSET_MS', -1e13, 1e13),
        sendsFaster: number('VAULTLINK_SENDS_FASTER', 1, 10_000),
        crashAt: or('VAULTLINK_CRASH_AT')
          .split(',')
          .filter((moment) => moment !== ''),
      },
    }),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config

  function admitted(): Config['admits'] {
    const words = (get('VAULTLINK_ADMIT') ?? '').split(',').map((word) => word.trim().toLowerCase())
    const known = outsiders.filter((one) => words.includes(one))
    if (words.some((word) => word !== '' && word !== 'nobody' && !known.some((one) => one === word)))
      problem('VAULTLINK_ADMIT', 'write guests, federated, or guests,federated; or leave it out')
    return known
  }

  function readBot(): Omit<Config['bot'], 'appType'> {
    // Teams writes ids in lower case.
    const appId = get('MicrosoftAppId')?.toLowerCase()
    const tenantId = get('MicrosoftAppTenantId')?.toLowerCase()
    const password = get('MicrosoftAppPassword')
    // In the sandbox a bot without an app id talks to anybody on this machine; one that has it is held to all of it.
    if (!inSandbox || appId !== undefined) {
      for (const name of ['MicrosoftAppId', 'MicrosoftAppTenantId'] as const) {
        if (!guid.test(get(name) ?? ''))
          problem(name, 'write the GUID from the bot registration in the Azure portal')
      }
      if (appType === 'SingleTenant' && password === undefined) {
        problem('MicrosoftAppPassword', 'write the client secret, or set MicrosoftAppType to UserAssignedMSI')
      }
    }
    if (appType === 'UserAssignedMSI' && password !== undefined) {
      problem(
        'MicrosoftAppPassword',
        'leave it out with UserAssignedMSI, or set MicrosoftAppType to SingleTenant',
      )
    }
    return {
      ...(appId !== undefined && { appId }),
      ...(tenantId !== undefined && { tenantId }),
      ...(password !== undefined && { password }),
      ...readCloud(),
    }
  }

  function readApprover(): Config['approver'] {
    const all = ['APPROVER_APP_ID', 'APPROVER_APP_PASSWORD', 'APPROVER_APP_URI'] as const
    if (oneOf('APPROVE_AS', ['bot', 'approver']) !== 'approver') {
      for (const name of all)
        if (get(name) !== undefined) problem(name, 'leave it out, or set APPROVE_AS to approver')
      return undefined
    }
    const appId = get('APPROVER_APP_ID')?.toLowerCase() ?? ''
    if (!guid.test(appId))
      problem('APPROVER_APP_ID', 'write the GUID of the app registration that acts for people')
    // Whoever holds a token for the bot's own id could speak as the Bot Connector's emulator does.
    else if (appId === bot.appId)
      problem('APPROVER_APP_ID', 'write that of an app registration of its own, not of the bot')
    const password = get('APPROVER_APP_PASSWORD')
    if (password === undefined && clientId === undefined)
      problem(
        'APPROVER_APP_PASSWORD',
        'write the client secret: there is no managed identity to vouch for it',
      )
    const uri = get('APPROVER_APP_URI') ?? (bot.appId ? `api://botid-${bot.appId}` : '')
    if (!applicationIdUri.test(uri))
      problem('APPROVER_APP_URI', 'write the Application ID URI of that registration: it begins with api://')
    // Elsewhere the bot itself wants it.
    if (inSandbox && bot.appId === undefined && !guid.test(bot.tenantId ?? ''))
      problem('MicrosoftAppTenantId', 'write the GUID of the tenant whose people approve')
    return {
      tenantId: bot.tenantId ?? '',
      appId,
      ...(password !== undefined && { password }),
      uri,
      ...(authorityHost !== undefined && { authorityHost }),
    }
  }

  function readEvents(): Config['events'] {
    const appId = get('EVENT_GRID_APP_ID')?.toLowerCase()
    if (appId === undefined) {
      const others = ['EVENT_GRID_APP_URI', 'EVENT_GRID_TENANT_ID', 'EVENT_GRID_OPENID_METADATA_URL'] as const
      for (const name of others)
        if (get(name) !== undefined) problem(name, 'leave it out, or write EVENT_GRID_APP_ID too')
      return undefined
    }
    if (!guid.test(appId))
      problem('EVENT_GRID_APP_ID', 'write the GUID of the app registration that stands for /api/azure-events')
    // What is meant for one door must not open another.
    else if (appId === bot.appId || appId === approver?.appId)
      problem('EVENT_GRID_APP_ID', 'write that of an app registration of its own')
    const uri = get('EVENT_GRID_APP_URI') ?? `api://${appId}`
    if (!applicationIdUri.test(uri))
      problem(
        'EVENT_GRID_APP_URI',
        'write the Application ID URI of that registration: it begins with api://',
      )
    const own = get('EVENT_GRID_TENANT_ID')?.toLowerCase()
    const tenantId = own ?? bot.tenantId ?? ''
    // Elsewhere the bot itself wants its own.
    if (!guid.test(tenantId) && (own !== undefined || inSandbox))
      problem('EVENT_GRID_TENANT_ID', 'write the GUID of the tenant that it is registered in')
    const authority = authorityHost ?? publicAuthority
    const published = get('EVENT_GRID_OPENID_METADATA_URL')
      ? url('EVENT_GRID_OPENID_METADATA_URL', inSandbox ? ['https:', 'http:'] : ['https:'])?.href
      : `${authority}/${tenantId}/v2.0/.well-known/openid-configuration`
    return {
      tenantId,
      audiences: [appId, uri],
      authorityHost: authority,
      openIdMetadataUrl: published ?? '',
    }
  }

  function readServiceHosts(): readonly string[] {
    const hosts = or('BOT_SERVICE_HOSTS')
      .split(',')
      .map((host) => host.trim().toLowerCase())
    const isHost = (host: string): boolean =>
      /^[a-z0-9.:[\]-]+$/.test(host) &&
      URL.canParse(`https://${host}`) &&
      new URL(`https://${host}`).host === host
    if (!hosts.every(isHost))
      problem('BOT_SERVICE_HOSTS', 'write names of hosts, as smba.trafficmanager.net, with commas between')
    else if (!inSandbox && hosts.some((host) => loopback.includes(new URL(`https://${host}`).hostname)))
      problem('BOT_SERVICE_HOSTS', 'leave this machine out: Teams is here in sandbox mode alone')
    return hosts
  }

  function readCloud(): Pick<Config['bot'], 'cloud'> {
    const names = ['BOT_OPENID_METADATA_URL', 'BOT_TOKEN_ISSUER', 'BOT_AUTHORITY', 'BOT_SCOPE'] as const
    if (names.every((name) => get(name) === undefined)) return {}
    for (const name of [...names, 'BOT_SERVICE_HOSTS'] as const)
      if (get(name) === undefined) problem(name, 'write it too: the five BOT_ settings go together')
    const keys = get('BOT_OPENID_METADATA_URL')
      ? url('BOT_OPENID_METADATA_URL', inSandbox ? ['https:', 'http:'] : ['https:'])
      : undefined
    if (get('BOT_SCOPE')?.endsWith('/.default')) problem('BOT_SCOPE', 'write it without /.default')
    const authority = get('BOT_AUTHORITY') ? url('BOT_AUTHORITY', ['https:']) : undefined
    return {
      cloud: {
        openIdMetadataUrl: keys?.href ?? '',
        issuer: or('BOT_TOKEN_ISSUER'),
        authority: authority?.href.replace(/\/$/, '') ?? '',
        scope: or('BOT_SCOPE'),
      },
    }
  }
}

function isDatabase(url: string): boolean {
  if (/^postgres(ql)?:\/\//i.test(url))
    return URL.canParse(url) && new URL(url).pathname.length > 1 && isEscaped(new URL(url).password)
  return !/^[a-z][a-z0-9+.-]+:\/\//i.test(url) || /^file:/i.test(url)
}
const noOtherDatabase =
  'write a path for SQLite, or postgres://<user>:<password>@<host>/<database>, with %25 for each % in the password'

function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The one setting that `npm run audit` needs: whoever looks into the database need not know the bot's others. */
export function readDatabaseUrl(environment: Readonly<Record<string, string | undefined>>): string {
  const url = environment.DATABASE_URL?.trim() || usualDatabase
  if (!isDatabase(url)) throw new ConfigError([`DATABASE_URL: ${noOtherDatabase}`])
  return url
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
