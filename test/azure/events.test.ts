/** What is read of a delivery of Event Grid's: which SignalRs and vaults are worth a look, and nothing else. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { signalrs, vaults } from '../../sandbox/seed.ts'
import { isEventGrid, readEvents } from '../../src/azure/events.ts'

const [signalr = ''] = signalrs.map(({ id }) => id)
const [vault = '', other = ''] = vaults.map(({ id }) => id)
const write = 'Microsoft.Resources.ResourceWriteSuccess'
const remove = 'Microsoft.Resources.ResourceDeleteSuccess'

const event = (subject: string, eventType = write) => ({ id: '1', subject, eventType, data: {} })
const cloudEvent = (subject: string, type = write) => ({ specversion: '1.0', id: '1', subject, type })
const resourcesOf = (body: unknown): unknown => {
  const read = readEvents(body)
  return read.is === 'changes' ? read.resources : read
}

describe('a delivery', () => {
  test.each([
    ['of a SignalR', signalr, signalr],
    ['of its link', `${signalr}/sharedPrivateLinkResources/kv-contoso-kv`, signalr],
    ['of a vault', vault, vault],
    ['of its connection', `${vault}/privateEndpointConnections/8d1f`, vault],
    ['spelled otherwise', `${vault}/PRIVATEENDPOINTCONNECTIONS/8d1f`.replace('Groups', 'groups'), vault],
  ])('%s, written or deleted, in either schema', (_what, subject, resource) => {
    for (const type of [write, remove])
      for (const body of [[event(subject, type)], [cloudEvent(subject, type)], cloudEvent(subject, type)])
        expect(resourcesOf(body)).toEqual([expect.stringMatching(new RegExp(`^${resource}$`, 'i'))])
  })

  test('names each once, however often it is about it, and tells how many events there were', () => {
    const child = `${vault}/privateEndpointConnections/a`
    const body = [
      event(vault),
      event(child),
      event(`${vault}/secrets/x`),
      event(other),
      event(signalr, remove),
    ]
    expect(readEvents(body)).toEqual({ is: 'changes', resources: [vault, other, signalr], events: 5 })
  })

  test('names its resource in its data where its subject is another', () => {
    const body = [{ ...event('elsewhere'), data: { resourceUri: `${vault}/privateEndpointConnections/a` } }]
    expect(resourcesOf(body)).toEqual([vault])
  })

  test.each([
    ['another kind of event', vault, 'Microsoft.Resources.ResourceActionSuccess'],
    ['one that failed', vault, 'Microsoft.Resources.ResourceWriteFailure'],
    ['a secret', `${vault}/secrets/x`, write],
    ['settings that hang on it', `${vault}/providers/Microsoft.Insights/diagnosticSettings/x`, write],
    ['a replica', `${signalr}/replicas/us`, write],
    ['something below a link', `${signalr}/sharedPrivateLinkResources/a/b/c`, write],
    [
      'another service',
      vault.replace('Microsoft.KeyVault/vaults', 'Microsoft.Storage/storageAccounts'),
      write,
    ],
    ['a resource group', '/subscriptions/1/resourceGroups/contoso', remove],
    ['another place', `${vault}/privateEndpointConnections/..`, write],
    ['nothing', '', write],
  ])('of no interest: %s', (_what, subject, type) => {
    expect(readEvents([event(subject, type)])).toEqual({ is: 'changes', resources: [], events: 1 })
    expect(readEvents(cloudEvent(subject, type))).toEqual({ is: 'changes', resources: [], events: 1 })
  })

  test('that makes no sense is none, and none is too odd to be read', () => {
    for (const body of [
      [],
      {},
      [{}],
      [event(vault), 1],
      [null],
      { subject: vault },
      [{ eventType: 1 }],
      [[]],
    ])
      expect(readEvents(body)).toEqual({ is: 'nonsense' })
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(['changes', 'nonsense', 'handshake']).toContain(readEvents(body).is)
      }),
    )
  })
})

describe('the handshake', () => {
  const asking = (data: unknown) => [
    { ...event('', 'Microsoft.EventGrid.SubscriptionValidationEvent'), data },
  ]

  test('gives its code back', () => {
    const validationCode = '512d38b6-c7b8-40c8-89fe-f46f9e9622b6'
    expect(readEvents(asking({ validationCode }))).toEqual({ is: 'handshake', code: validationCode })
  })

  test.each([
    ['no code', {}],
    ['an empty one', { validationCode: '' }],
    ['no text', { validationCode: 1 }],
    ['a long one', { validationCode: 'x'.repeat(201) }],
  ])('is none with %s', (_what, data) => {
    expect(readEvents(asking(data))).toEqual({ is: 'nonsense' })
  })

  test('stands alone', () => {
    expect(readEvents([...asking({ validationCode: 'x' }), event(vault)])).toEqual({ is: 'nonsense' })
  })

  test('is asked for by Event Grid alone', () => {
    for (const origin of ['eventgrid.azure.net', 'westeurope-1.eventgrid.azure.net', 'EventGrid.azure.us'])
      expect([origin, isEventGrid(origin)]).toEqual([origin, true])
    for (const origin of [
      '',
      '*',
      'eventgrid.azure.net.example',
      'xeventgrid.azure.net',
      'a b.eventgrid.azure.net',
      'azure.net',
    ])
      expect([origin, isEventGrid(origin)]).toEqual([origin, false])
  })
})
