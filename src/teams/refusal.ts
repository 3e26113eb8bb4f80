/** Why somebody is turned away: for the log and the metrics alone, since who is turned away learns nothing from it. */

export type Refused = { readonly is: 'refused'; readonly status: Status; readonly why: Reason }
type Status = 400 | 401 | 403 | 413 | 415 | 503

/** A closed set, so that no caller makes the metrics grow. */
export type Reason = OfTheDoor | OfTheToken | OfTheActivity | OfAzureEvents
type OfTheDoor =
  | 'shutting down'
  | 'compressed'
  | 'not JSON by its type'
  | 'too large'
  | 'not UTF-8'
  | 'not a JSON object'
  | 'database away'
type OfTheToken =
  | 'no token'
  | 'malformed token'
  | 'algorithm'
  | 'critical header'
  | 'unknown key'
  | 'key not endorsed for Teams'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'no expiry'
  | 'expired'
  | 'lives too long'
  | 'not valid yet'
  | 'no service URL claim'
  | 'no keys'
type OfTheActivity =
  | `no ${MissingField}`
  | 'service URL is another than the token has'
  | 'service host is not listed'
  | 'not from Teams'
  | 'no tenant'
  | 'two tenants'
  | 'another tenant'
  | 'meant for another bot'
  | 'not from a person'
  | 'from an anonymous person'
type OfAzureEvents = 'another application' | 'role missing' | 'no events' | 'not from Event Grid'
/** What an activity cannot be read without. */
export type MissingField =
  | 'type'
  | 'channelId'
  | 'from.id'
  | 'recipient.id'
  | 'conversation.id'
  | 'conversation.conversationType'
  | 'serviceUrl'

export const refused = (status: Status, why: Reason): Refused => ({ is: 'refused', status, why })

export const isRefused = (one: object): one is Refused => 'is' in one && one.is === 'refused'
