/** Azure as the engine and the Teams rim know it: what `src/engine/ports.ts` asks for, by ARM's official clients. */
import type { TokenCredential } from '@azure/identity'
import type { Access, ActAs, Azure, Directory, Log, Survey } from '../engine/ports.ts'
import { createAccess } from './access.ts'
import { type ActingApplication, createActAs } from './actAs.ts'
import { createAllowance } from './allowance.ts'
import { createClients } from './clients.ts'
import { createDirectory } from './directory.ts'
import { keepingTokens } from './keptToken.ts'
import type { Reading } from './looks.ts'
import { createObserve } from './observe.ts'
import type { Waits } from './patience.ts'
import { createPerform } from './perform.ts'
import { createSharedPrivateLinks } from './sharedPrivateLinks.ts'
import { createSurvey } from './survey.ts'
import { createVaultConnections } from './vaultConnections.ts'

/**
 * Azure behind `endpoint` (`https://management.azure.com`, or a loopback in plain http), as `credential` says. Nothing
 * is loaded or sent before the first use. `audience` is what tokens are asked for, the endpoint unless given;
 * `deadlineMs` bounds each call beside the caller's signal; `now` stamps what is seen. `warm` loads the clients ahead of the first use. With
 * an `application`, `actAs` acts for people by it.
 */
export function createAzure(options: {
  readonly endpoint: string
  readonly credential: TokenCredential
  readonly audience?: string
  readonly deadlineMs?: number
  readonly now?: () => number
  readonly application?: ActingApplication
  readonly log: Log
}): {
  readonly azure: Azure
  readonly survey: Survey
  readonly directory: Directory
  readonly access: Access
  readonly actAs?: ActAs
  readonly warm: () => Promise<void>
} {
  const { endpoint, credential, audience, application, deadlineMs = 20_000, now = Date.now, log } = options
  const waits: Waits = new Map()
  const allowance = createAllowance(now)
  const clients = createClients({
    endpoint,
    credential: keepingTokens(credential),
    principal: 'bot',
    deadlineMs,
    waits,
    now,
    heard: allowance.heard,
    ...(audience !== undefined && { audience }),
  })
  const reading: Reading = { deadlineMs, now, log }
  const links = createSharedPrivateLinks(clients, reading)
  const vaults = createVaultConnections(clients, reading)
  return {
    azure: {
      observe: createObserve(links, vaults, allowance, now),
      perform: createPerform(links, vaults, reading),
    },
    survey: createSurvey(clients, links, vaults, allowance, reading),
    directory: createDirectory(clients, links, vaults, reading),
    access: createAccess(clients, reading),
    ...(application && { actAs: createActAs({ application, endpoint, reading, waits }) }),
    warm: clients.warm,
  }
}
