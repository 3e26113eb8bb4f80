import { once } from 'node:events'
import { get as getPlain } from 'node:http'
import { get as getByTls } from 'node:https'
import { expect, test } from '@jest/globals'
import { makeServerCertificate } from '../../sandbox/entra/certificates.ts'
import { openProxy } from '../../sandbox/proxy/proxy.ts'

/** A call that never ends would hold up whoever waits until nothing is under way. */
test.each(['plain', 'over TLS'])('%s: a call that is reset has ended, without an answer', async (how) => {
  const tls = how === 'plain' ? undefined : await makeServerCertificate()
  const wording = () => ({ status: 500, headers: {}, body: Buffer.alloc(0) })
  const proxy = await openProxy({ wording, ...(tls && { tls }) })
  try {
    proxy.fail({ times: 1, how: 'reset' })
    const ended = new Promise<void>((resolve) => proxy.onCall((call) => call.ended && resolve()))
    const asked = tls ? getByTls(proxy.url, { ca: tls.ca }) : getPlain(proxy.url)
    const [error] = await once(asked, 'error')
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    await ended
    expect(proxy.calls[0]?.ended).not.toHaveProperty('status')
  } finally {
    await proxy.close()
  }
})
