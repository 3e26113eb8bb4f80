/**
 * Where a bot gets the token that it calls the connector with: the local Entra ID on a server of its own. MSAL speaks
 * https only, so the server has a certificate, and an authority for the bot to trust.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeServerCertificate } from '../entra/certificates.ts'
import { connectorAudience, type Directory } from '../entra/directory.ts'
import { createEntra } from '../entra/entra.ts'
import { directory, tenantId } from '../seed.ts'
import { listenOnLoopback, readBody, send, stop } from './http.ts'

export type Identity = {
  authority: string
  host: string
  caFile: string
  /** Whether an Authorization header holds a token that this server gave to the bot for the connector. */
  accepts(authorization: string | undefined): Promise<boolean>
  close(): Promise<void>
}

export async function startIdentity(client: { appId: string; secret?: string }): Promise<Identity> {
  const { ca, key, cert } = await makeServerCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-teams-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, ca)
  const entra = createEntra(withSecret(client))

  const server = createServer({ key, cert }, (request, response) => {
    readBody(request)
      .then(async (body) => {
        const origin = `https://${request.headers.host}`
        const { pathname: path, searchParams: query } = new URL(request.url ?? '/', origin)
        const header = (name: string): string | undefined => String(request.headers[name] ?? '') || undefined
        const method = request.method ?? 'GET'
        const asked = { method, origin, path, query, header, body: body.toString() }
        const reply = await entra.answer(asked)
        send(response, reply ?? { status: 404, body: { error: 'invalid_request' } })
      })
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  const port = await listenOnLoopback(server, 0)
  const host = `127.0.0.1:${port}`
  return {
    authority: `https://${host}/${tenantId}`,
    host,
    caFile,
    async accepts(authorization) {
      const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
      if (token === undefined) return false
      const verdict = await entra.verify(token)
      return verdict.is === 'valid' && verdict.claims.aud === connectorAudience
    },
    async close() {
      await stop(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The seed's directory, in which the bot has this secret. */
const withSecret = ({ appId, secret }: { appId: string; secret?: string }): Directory =>
  secret === undefined
    ? directory
    : {
        ...directory,
        applications: directory.applications.map((one) =>
          one.appId === appId ? { ...one, secrets: [secret] } : one,
        ),
      }
