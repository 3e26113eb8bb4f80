/** The environment: what is taken, what is refused and how it is said, and that no secret is ever part of it. */
import { describe, expect, test } from '@jest/globals'
import { ConfigError, readConfig, readDatabaseUrl, settings } from '../src/config.ts'

type Environment = Readonly<Record<string, string | undefined>>
const appId = 'b0700000-0000-4000-8000-000000000001'
const tenantId = '72f988bf-0000-4000-8000-00000000c0de'
const secret = 'f0rty-two~canaries'
const production = { MicrosoftAppId: appId, MicrosoftAppTenantId: tenantId }
const sandbox = { VAULTLINK_MODE: 'sandbox', ARM_ENDPOINT: 'http://127.0.0.1:4100' }
const events = { EVENT_GRID_APP_ID: 'b0700000-0000-4000-8000-000000000003' }
const approver = { APPROVE_AS: 'approver', APPROVER_APP_ID: '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b913' }
const cloud = {
  BOT_OPENID_METADATA_URL: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
  BOT_TOKEN_ISSUER: 'https://api.botframework.us',
  BOT_AUTHORITY: `https://login.microsoftonline.us/${tenantId}`,
  BOT_SCOPE: 'https://api.botframework.us',
  BOT_SERVICE_HOSTS: 'smba.infra.gov.teams.microsoft.us',
}

/** The problems, or none. */
function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

describe('what production needs', () => {
  test('is an app id and a tenant; all else has a default that suits it', () => {
    expect(readConfig(production)).toEqual({
      host: '0.0.0.0',
      port: 3978,
      probes: { host: '127.0.0.1', port: 3979 },
      serviceHosts: [
        'smba.trafficmanager.net',
        'smba.onyx.prod.teams.trafficmanager.net',
        'smba.infra.gcc.teams.microsoft.com',
      ],
      bot: { appId, tenantId, appType: 'UserAssignedMSI' },
      databaseUrl: 'data/vaultlink.db',
      leaseMs: 30_000,
      anchorMs: 60 * 60_000,
      arm: { endpoint: 'https://management.azure.com', clientId: appId, deadlineMs: 20_000 },
      admits: [],
      portal: 'https://portal.azure.com',
      timeZone: 'UTC',
      workingHours: [1, 2, 3, 4, 5].map((day) => ({ day, from: 9 * 60, to: 17 * 60 })),
      turnReadsMs: 3_000,
      limits: {
        expiryMs: 7 * 86_400_000,
        reminders: { afterMs: 4 * 3_600_000, escalateAfter: 2 },
        usualProvisioningMs: 15 * 60_000,
        usualPropagatingMs: 30 * 60_000,
        alarmMs: 15 * 60_000,
        freshDecisionMs: 15 * 60_000,
        firstLookMs: 2_000,
        longestLookMs: 60_000,
        restLookMs: 86_400_000,
        hintMs: 10_000,
        settleMs: 30_000,
        freshLookMs: 5_000,
        pinMs: 10_000,
      },
    })
  })

  test('reminders can be left out, come at any hour, and be brought up elsewhere', () => {
    const off = readConfig({ ...production, VAULTLINK_REMIND_AFTER_HOURS: 'Off' })
    expect(off.limits).not.toHaveProperty('reminders')
    const { workingHours, escalation } = readConfig({
      ...production,
      VAULTLINK_WORKING_HOURS: 'always',
      VAULTLINK_ESCALATION_CHANNEL: '19:leads@thread.tacv2',
    })
    expect(workingHours).toHaveLength(7)
    expect(escalation).toBe('19:leads@thread.tacv2')
  })

  test('with a client secret the bot registration itself acts on Azure, unless another identity is named', () => {
    const single = { ...production, MicrosoftAppType: 'SingleTenant', MicrosoftAppPassword: secret }
    expect(readConfig(single)).toMatchObject({ bot: { appType: 'SingleTenant', password: secret } })
    expect(readConfig(single).arm).not.toHaveProperty('clientId')
    expect(readConfig({ ...single, AZURE_CLIENT_ID: tenantId }).arm.clientId).toBe(tenantId)
  })

  test('another cloud is named by five settings together', () => {
    expect(readConfig({ ...production, ...cloud }).bot.cloud).toEqual({
      openIdMetadataUrl: cloud.BOT_OPENID_METADATA_URL,
      issuer: cloud.BOT_TOKEN_ISSUER,
      authority: cloud.BOT_AUTHORITY,
      scope: cloud.BOT_SCOPE,
    })
    expect(readConfig({ ...production, ...cloud }).serviceHosts).toEqual([cloud.BOT_SERVICE_HOSTS])
    for (const name of Object.keys(cloud))
      expect(problemsOf({ ...production, ...cloud, [name]: undefined })).toEqual([
        expect.stringMatching(new RegExp(`^${name}: write it too`)),
      ])
  })

  test('owners may decide as themselves: by an application that the managed identity vouches for, or its secret', () => {
    const { approver: read } = readConfig({ ...production, ...approver })
    const acting = approver.APPROVER_APP_ID
    expect(read).toEqual({ tenantId, appId: acting, uri: `api://botid-${appId}` })
    expect(
      readConfig({
        ...production,
        ...approver,
        APPROVER_APP_PASSWORD: secret,
        APPROVER_APP_URI: `api://vaultlink.contoso.com/${acting}`,
        AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/',
      }).approver,
    ).toEqual({
      tenantId,
      appId: acting,
      password: secret,
      uri: `api://vaultlink.contoso.com/${acting}`,
      authorityHost: 'https://login.microsoftonline.us',
    })
    expect(readConfig({ ...production, APPROVE_AS: 'bot' })).toEqual(readConfig(production))
  })

  test('hosts of Teams are listed by name, and others may stand in for them', () => {
    const hosts = ' smba.trafficmanager.net, Teams.Contoso.example:8443 '
    expect(readConfig({ ...production, BOT_SERVICE_HOSTS: hosts }).serviceHosts).toEqual([
      'smba.trafficmanager.net',
      'teams.contoso.example:8443',
    ])
    expect(readConfig({ ...sandbox, BOT_SERVICE_HOSTS: '127.0.0.1:4200' }).serviceHosts).toEqual([
      '127.0.0.1:4200',
    ])
  })

  test('Event Grid is heard where its application is named, by tokens of its tenant', () => {
    expect(readConfig(production)).not.toHaveProperty('events')
    const { EVENT_GRID_APP_ID: id } = events
    expect(readConfig({ ...production, EVENT_GRID_APP_ID: id.toUpperCase() }).events).toEqual({
      tenantId,
      audiences: [id, `api://${id}`],
      authorityHost: 'https://login.microsoftonline.com',
      openIdMetadataUrl: `https://login.microsoftonline.com/${tenantId}/v2.0/.well-known/openid-configuration`,
    })
    const elsewhere = '99999999-0000-4000-8000-000000000009'
    expect(
      readConfig({
        ...production,
        ...events,
        EVENT_GRID_APP_URI: 'api://events',
        EVENT_GRID_TENANT_ID: elsewhere,
        AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/',
      }).events,
    ).toEqual({
      tenantId: elsewhere,
      audiences: [id, 'api://events'],
      authorityHost: 'https://login.microsoftonline.us',
      openIdMetadataUrl: `https://login.microsoftonline.us/${elsewhere}/v2.0/.well-known/openid-configuration`,
    })
  })

  test('spaces around a value, a setting left empty and the case of a word do not matter', () => {
    expect(
      readConfig({ ...production, MicrosoftAppId: ` ${appId}\n`, PORT: '', VAULTLINK_MODE: 'Production' }),
    ).toEqual(readConfig(production))
  })
})

describe('refused', () => {
  const numbers = ['', 'x', '1e99', '-1', 'NaN', 'Infinity', '0x10000000']
  const single = { ...production, MicrosoftAppType: 'SingleTenant' }
  const named = { APPROVER_APP_PASSWORD: secret, APPROVER_APP_URI: 'api://approvals' }
  const bad: readonly { name: string; values: readonly string[]; beside?: Environment }[] = [
    { name: 'PORT', values: ['eighty', '65536', '-1', '80.5'] },
    { name: 'PROBE_PORT', values: ['eighty', '65536', '-1', '80.5'] },
    { name: 'PROBE_HOST', values: ['localhost', 'everywhere', '127.0.0', '0.0.0.0:80'] },
    {
      name: 'BOT_SERVICE_HOSTS',
      values: [
        'https://smba.trafficmanager.net',
        '*.trafficmanager.net',
        'smba.trafficmanager.net/teams',
        'me@smba.trafficmanager.net',
        'smba.trafficmanager.net:443',
        ',',
        'smba.trafficmanager.net,',
        '127.0.0.1:4200',
        'localhost',
        '[::1]:80',
      ],
    },
    { name: 'MicrosoftAppId', values: ['', 'vaultlink', `${appId}0`, `{${appId}}`] },
    { name: 'MicrosoftAppTenantId', values: ['', 'contoso.onmicrosoft.com'] },
    { name: 'MicrosoftAppType', values: ['MultiTenant', 'Single'] },
    { name: 'MicrosoftAppPassword', values: [''], beside: single },
    { name: 'MicrosoftAppPassword', values: [secret] },
    {
      name: 'BOT_OPENID_METADATA_URL',
      values: ['http://keys.test/', 'keys'],
      beside: { ...production, ...cloud },
    },
    { name: 'BOT_AUTHORITY', values: ['http://login.test/', 'login'], beside: { ...production, ...cloud } },
    {
      name: 'BOT_SCOPE',
      values: ['https://api.botframework.us/.default'],
      beside: { ...production, ...cloud },
    },
    { name: 'ARM_ENDPOINT', values: ['http://management.azure.com', 'management.azure.com', 'file:///etc'] },
    { name: 'AZURE_CLIENT_ID', values: ['the managed identity'] },
    { name: 'APPROVE_AS', values: ['owner', 'me'] },
    { name: 'APPROVER_APP_ID', values: ['', 'approvals', appId], beside: { ...production, ...approver } },
    { name: 'APPROVER_APP_ID', values: [approver.APPROVER_APP_ID] },
    { name: 'APPROVER_APP_PASSWORD', values: [secret] },
    {
      name: 'APPROVER_APP_PASSWORD',
      values: [''],
      beside: { ...single, MicrosoftAppPassword: secret, ...approver },
    },
    {
      name: 'APPROVER_APP_URI',
      values: ['botid', 'http://contoso.com/x', 'api://', 'api://a b'],
      beside: { ...production, ...approver },
    },
    { name: 'APPROVER_APP_URI', values: [`api://botid-${appId}`] },
    {
      name: 'AZURE_AUTHORITY_HOST',
      values: ['http://login.test', 'login'],
      beside: { ...production, ...approver },
    },
    { name: 'MicrosoftAppTenantId', values: ['', 'contoso'], beside: { ...sandbox, ...approver, ...named } },
    {
      name: 'EVENT_GRID_APP_ID',
      values: ['events', `${appId}0`, appId, approver.APPROVER_APP_ID.toUpperCase()],
      beside: { ...production, ...approver },
    },
    {
      name: 'EVENT_GRID_APP_URI',
      values: ['events', 'http://contoso.com/x', 'api://a b'],
      beside: { ...production, ...events },
    },
    { name: 'EVENT_GRID_APP_URI', values: ['api://events'] },
    {
      name: 'EVENT_GRID_TENANT_ID',
      values: ['contoso', `${tenantId}0`],
      beside: { ...production, ...events },
    },
    { name: 'EVENT_GRID_TENANT_ID', values: [tenantId] },
    { name: 'EVENT_GRID_TENANT_ID', values: [''], beside: { ...sandbox, ...events } },
    {
      name: 'EVENT_GRID_OPENID_METADATA_URL',
      values: ['http://keys.test/', 'keys'],
      beside: { ...production, ...events },
    },
    { name: 'EVENT_GRID_OPENID_METADATA_URL', values: ['https://keys.test/'] },
    {
      name: 'DATABASE_URL',
      values: [`postgres://vaultlink:${secret}@db`, 'postgresql://', `mysql://x:${secret}@db/x`],
    },
    { name: 'VAULTLINK_OWNERS_CHANNEL', values: ['vault-owners', '19:'] },
    { name: 'VAULTLINK_ESCALATION_CHANNEL', values: ['vault-leads', '19:'] },
    {
      name: 'VAULTLINK_ESCALATION_CHANNEL',
      values: ['19:owners@thread.tacv2'],
      beside: { ...production, VAULTLINK_OWNERS_CHANNEL: '19:owners@thread.tacv2' },
    },
    { name: 'VAULTLINK_REMIND_AFTER_HOURS', values: ['0', '721', 'never'] },
    { name: 'VAULTLINK_ESCALATE_AFTER_REMINDERS', values: ['0', '1.5', '31', 'never'] },
    {
      name: 'VAULTLINK_WORKING_HOURS',
      values: [
        'weekdays',
        'Mon-Fri',
        '09:00-17:00',
        'Mon-Fri 17:00-09:00',
        'Mon-Fri 09:00-25:00',
        'Mon-Fry 09:00-17:00',
        'Mon 09:00-09:00',
        'Mon-Fri 09:00-17:00,',
      ],
    },
    { name: 'VAULTLINK_ADMIT', values: ['everybody', 'guests, anonymous', 'guest'] },
    { name: 'VAULTLINK_PORTAL', values: ['http://portal.azure.com', 'portal'] },
    { name: 'VAULTLINK_TIME_ZONE', values: ['Berlin', 'Mars/Olympus'] },
    { name: 'VAULTLINK_EXPIRY_DAYS', values: ['0', '31', 'soon'] },
    { name: 'VAULTLINK_CALL_SECONDS', values: ['0', '21'] },
    { name: 'VAULTLINK_TURN_SECONDS', values: ['0', '4', 'now'] },
    ...(
      [
        'VAULTLINK_LEASE_SECONDS',
        'VAULTLINK_ANCHOR_MINUTES',
        'VAULTLINK_PROVISIONING_MINUTES',
        'VAULTLINK_PROPAGATING_MINUTES',
        'VAULTLINK_ALARM_MINUTES',
        'VAULTLINK_PIN_SECONDS',
        'VAULTLINK_FRESH_DECISION_MINUTES',
        'VAULTLINK_FIRST_LOOK_SECONDS',
        'VAULTLINK_LONGEST_LOOK_SECONDS',
        'VAULTLINK_REST_LOOK_HOURS',
        'VAULTLINK_EVENT_LOOK_SECONDS',
        'VAULTLINK_SETTLE_SECONDS',
        'VAULTLINK_FRESH_LOOK_SECONDS',
      ] as const
    ).map((name) => ({ name, values: [...numbers.filter((value) => value !== ''), '0'] })),
    { name: 'VAULTLINK_MODE', values: ['development', 'sand box'] },
    { name: 'VAULTLINK_CLOCK_OFFSET_MS', values: ['1000'] },
    { name: 'VAULTLINK_SENDS_FASTER', values: ['2'] },
    { name: 'VAULTLINK_CRASH_AT', values: ['after put'] },
  ]

  test.each(bad)('$name, with what to write instead', ({ name, values, beside = production }) => {
    for (const value of values) {
      const problems = problemsOf({ ...beside, [name]: value })
      expect([value, problems]).toEqual([value, [expect.stringMatching(new RegExp(`^${name}: \\S`))]])
      expect(problems.join()).not.toContain(secret)
    }
  })

  test('the database is read alone, with its default, for who needs nothing else', () => {
    expect(readDatabaseUrl({})).toBe(readConfig(production).databaseUrl)
    expect(readDatabaseUrl({ DATABASE_URL: ' /var/vaultlink.db\n' })).toBe('/var/vaultlink.db')
    const shared = `postgres://vaultlink:${secret}@db.test/vaultlink?sslmode=verify-full`
    expect(readDatabaseUrl({ DATABASE_URL: shared })).toBe(shared)
    const refused = () => readDatabaseUrl({ DATABASE_URL: `mysql://vaultlink:${secret}@db/vaultlink` })
    expect(refused).toThrow(/^DATABASE_URL: write a path/)
    expect(refused).not.toThrow(secret)
  })

  test('leaves no setting untried', () => {
    const tried = new Set(bad.map(({ name }) => name))
    // An issuer is compared as it is: any text may be one.
    expect(settings.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual(['BOT_TOKEN_ISSUER'])
  })

  test('all problems come at once, and no value of a secret', () => {
    const all = problemsOf({
      PORT: 'x',
      MicrosoftAppPassword: secret,
      DATABASE_URL: `postgres://vaultlink:${secret}@db`,
      VAULTLINK_EXPIRY_DAYS: '99',
      BOT_SCOPE: 'x',
      VAULTLINK_CRASH_AT: 'after put',
    })
    expect(new Set(all.map((problem) => problem.split(':')[0]))).toEqual(
      new Set([
        'PORT',
        'MicrosoftAppId',
        'MicrosoftAppTenantId',
        'MicrosoftAppPassword',
        'DATABASE_URL',
        'VAULTLINK_EXPIRY_DAYS',
        'BOT_OPENID_METADATA_URL',
        'BOT_TOKEN_ISSUER',
        'BOT_AUTHORITY',
        'BOT_SERVICE_HOSTS',
        'VAULTLINK_CRASH_AT',
      ]),
    )
    expect(all.join('\n')).not.toContain(secret)
  })
})

describe('the sandbox', () => {
  test('listens on this machine alone, asks nobody, and brings a clock and moments to be killed at', () => {
    const config = readConfig({
      ...sandbox,
      VAULTLINK_CLOCK_OFFSET_MS: '-5',
      VAULTLINK_SENDS_FASTER: '20',
      VAULTLINK_CRASH_AT: 'after put,before approve',
    })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      bot: { appType: 'UserAssignedMSI' },
      sandbox: { clockOffsetMs: -5, crashAt: ['after put', 'before approve'] },
    })
    expect(config.bot).not.toHaveProperty('appId')
    expect(readConfig({ ...sandbox, PROBE_HOST: '0.0.0.0' }).probes.host).toBe('127.0.0.1')
  })

  test('is nowhere in production', () => {
    expect(readConfig(production)).not.toHaveProperty('sandbox')
  })

  test.each([
    'https://management.azure.com',
    'http://127.0.0.1.example.test:4100',
    'http://localhost.example.test',
    'http://10.0.0.4:4100',
    'http://127.0.0.1@example.test/',
    'http://[::2]:4100',
  ])('refuses an Azure that is not this machine: %s', (endpoint) => {
    expect(problemsOf({ ...sandbox, ARM_ENDPOINT: endpoint })).toEqual([
      expect.stringMatching(/^ARM_ENDPOINT: .*127\.0\.0\.1/),
    ])
  })

  test.each(['http://127.0.0.1:1', 'http://localhost:4100', 'http://[::1]:4100', 'https://127.0.0.1:1'])(
    'takes one that is: %s',
    (endpoint) => {
      expect(problemsOf({ ...sandbox, ARM_ENDPOINT: endpoint })).toEqual([])
    },
  )

  test('with an app id it is held to all that an app id needs', () => {
    expect(problemsOf({ ...sandbox, MicrosoftAppId: appId })).toEqual([
      expect.stringMatching(/^MicrosoftAppTenantId: /),
    ])
    expect(
      problemsOf({
        ...sandbox,
        MicrosoftAppId: appId,
        MicrosoftAppTenantId: tenantId,
        MicrosoftAppType: 'SingleTenant',
      }),
    ).toEqual([expect.stringMatching(/^MicrosoftAppPassword: /)])
    expect(
      problemsOf({ ...sandbox, ...production, ...cloud, BOT_OPENID_METADATA_URL: 'http://127.0.0.1:1/keys' }),
    ).toEqual([])
  })
})
