/** The services that the bot speaks to: Teams' own, by host. Its token goes to whatever service it calls. */
import type { Log } from '../engine/ports.ts'

/** Whether the bot may speak to the service at this address. A miss is an alarm. */
export type IsListed = (serviceUrl: string) => boolean

const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

/** `hosts` are exact, with the port where it is not https' own: anybody may have a name under `trafficmanager.net`. */
export function createServiceList(options: {
  readonly hosts: readonly string[]
  readonly log: Log
  readonly onMiss?: () => void
}): IsListed {
  const { hosts, log, onMiss } = options
  return (serviceUrl) => {
    const url = URL.canParse(serviceUrl) ? new URL(serviceUrl) : undefined
    if (url && isPlain(url, serviceUrl) && hosts.includes(url.host)) return true
    // Teams has a new host, or somebody found a way to be signed for, or into what was stored.
    log('error', 'teams.serviceNotListed', { host: url?.host.slice(0, 100) })
    onMiss?.()
    return false
  }
}

/**
 * Over TLS, or to this machine; and in the one spelling that every parser reads alike, which
 * `https://smba.trafficmanager.net\@elsewhere.example/` is not.
 */
function isPlain(url: URL, spelling: string): boolean {
  const { protocol, hostname, username, password, search, hash, href } = url
  const isSafe = protocol === 'https:' || (protocol === 'http:' && loopback.includes(hostname))
  const isBare = `${username}${password}${search}${hash}` === ''
  return isSafe && isBare && [href, href.replace(/\/$/, '')].includes(spelling)
}
