/** Activities in the shape in which Teams sends them. */
import { randomUUID } from 'node:crypto'
import { bot, type PersonKey, people, tenantId } from '../seed.ts'
import type { Activity } from './face.ts'
import { type Json, record } from './json.ts'
import { conversationOf, type Place, personId, type World } from './world.ts'

export type Stamp = { world: World; serviceUrl: string }

const locale = 'en-GB'
const timezone = 'Europe/Amsterdam'

/** What the service stamps on everything that a person does in a place. */
function activityFrom(
  { world, serviceUrl }: Stamp,
  who: PersonKey,
  place: Place,
  conversationId: string,
  type: string,
): Activity {
  const at = new Date(world.now())
  const conversation =
    place.kind === 'personal'
      ? { conversationType: 'personal', tenantId, id: conversationId }
      : { isGroup: true, conversationType: place.kind, tenantId, id: conversationId }
  return {
    type,
    id: `f:${randomUUID()}`,
    timestamp: at.toISOString(),
    localTimestamp: localTime(at),
    localTimezone: timezone,
    channelId: 'msteams',
    serviceUrl,
    from: { id: personId(who), name: people[who].name, aadObjectId: people[who].objectId },
    recipient: { id: world.botId, name: bot.name },
    conversation,
    channelData: channelData(place),
    entities: [clientEntity],
    locale,
  }
}

const clientEntity = { type: 'clientInfo', locale, country: 'GB', platform: 'Web', timezone }

function channelData(place: Place): Json {
  if (!place.team) return { tenant: { id: tenantId } }
  return {
    tenant: { id: tenantId },
    team: { id: place.team.id, name: place.team.name, aadGroupId: place.team.aadGroupId },
    channel: { id: place.id },
    teamsTeamId: place.team.id,
    teamsChannelId: place.id,
  }
}

function localTime(at: Date): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at)
  const wall = Date.parse(`${parts.replace(' ', 'T')}Z`)
  const hours = Math.round((wall - at.getTime()) / 3_600_000)
  return `${new Date(at.getTime() + hours * 3_600_000).toISOString().slice(0, -1)}+${String(hours).padStart(2, '0')}:00`
}

export type Wording = { wire: string; shown: string; entities: Json[]; mentions: PersonKey[] }

/** What somebody types, with `@Name` and `<at>Name</at>` made into mentions of the bot or of a member. */
export function worded(world: World, place: Place, typed: string, addressed: boolean): Wording {
  const names = [
    { key: undefined, name: bot.name as string, id: world.botId },
    ...place.members.map((key) => ({ key, name: people[key].name, id: personId(key) })),
  ]
  const marked = names.reduce(
    (text, { name }) =>
      text.replaceAll(`<at>${name}</at>`, `@${name}`).replaceAll(`@${name}`, `<at>${name}</at>`),
    typed,
  )
  const toBot = `<at>${bot.name}</at>`
  const wire = addressed && !marked.includes(toBot) ? `${toBot} ${marked}` : marked
  const mentioned = names.filter(({ name }) => wire.includes(`<at>${name}</at>`))
  return {
    wire,
    shown: wire.replace(/<at>([^<]*)<\/at>/g, '@$1'),
    entities: mentioned.map(({ name, id }) => ({
      type: 'mention',
      mentioned: { id, name },
      text: `<at>${name}</at>`,
    })),
    mentions: mentioned.flatMap(({ key }) => key ?? []),
  }
}

export function messageActivity(
  stamp: Stamp,
  who: PersonKey,
  place: Place,
  said: { id: string; root: string; wording: Wording },
): Activity {
  const base = activityFrom(stamp, who, place, conversationOf(place, said.root), 'message')
  return {
    ...base,
    id: said.id,
    text: said.wording.wire,
    textFormat: 'plain',
    // Teams sends the same text a second time as HTML.
    attachments: [{ contentType: 'text/html', content: asHtml(said.wording) }],
    entities: [...said.wording.entities, clientEntity],
  }
}

function asHtml({ wire, entities }: Wording): string {
  const escaped = wire.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  const body = entities.reduce<string>((html, { mentioned }, index) => {
    const name = String(record(mentioned)?.name)
    return html.replaceAll(
      `&lt;at&gt;${name}&lt;/at&gt;`,
      `<span itemscope="" itemtype="http://schema.skype.com/Mention" itemid="${index}">${name}</span>`,
    )
  }, escaped)
  return `<p>${body}</p>`
}

export function invokeActivity(
  stamp: Stamp,
  who: PersonKey,
  place: Place,
  invoke: { card?: string; conversationId: string; value: unknown },
): Activity {
  const base = activityFrom(stamp, who, place, invoke.conversationId, 'invoke')
  return {
    ...base,
    name: 'adaptiveCard/action',
    ...(invoke.card !== undefined && { replyToId: invoke.card }),
    channelData: {
      ...base.channelData,
      source: { name: 'message' },
      ...(invoke.card !== undefined && { legacy: { replyToId: invoke.card } }),
    },
    value: invoke.value,
  }
}

export function submitActivity(
  stamp: Stamp,
  who: PersonKey,
  place: Place,
  submit: { id: string; card: string; conversationId: string; value: unknown },
): Activity {
  const base = activityFrom(stamp, who, place, submit.conversationId, 'message')
  return {
    ...base,
    id: submit.id,
    replyToId: submit.card,
    channelData: { ...base.channelData, source: { name: 'message' }, legacy: { replyToId: submit.card } },
    value: submit.value,
  }
}

/** The two events of an app added to or removed from a team or a chat, in the order in which Teams sends them. */
export function installActivities(
  stamp: Stamp,
  who: PersonKey,
  place: Place,
  action: 'add' | 'remove',
): Activity[] {
  const base = activityFrom(stamp, who, place, place.id, 'conversationUpdate')
  const inTeam = place.team && {
    channelData: { ...base.channelData, settings: { selectedChannel: { id: place.id } } },
  }
  const members = [{ id: stamp.world.botId }]
  return [
    {
      ...base,
      ...inTeam,
      ...(place.team && {
        channelData: {
          ...inTeam?.channelData,
          eventType: action === 'add' ? 'teamMemberAdded' : 'teamMemberRemoved',
        },
      }),
      ...(action === 'add' ? { membersAdded: members } : { membersRemoved: members }),
    },
    { ...base, ...inTeam, id: `f:${randomUUID()}`, type: 'installationUpdate', action },
  ]
}

export function channelActivity(
  stamp: Stamp,
  who: PersonKey,
  place: Place,
  eventType: 'channelRenamed' | 'channelDeleted',
): Activity {
  const general = stamp.world.places.find((candidate) => candidate.id === place.team?.id) ?? place
  const base = activityFrom(stamp, who, general, general.id, 'conversationUpdate')
  return {
    ...base,
    channelData: { ...base.channelData, channel: { id: place.id, name: place.name }, eventType },
  }
}

/** Whether a `refresh` is meant for this person: an empty list of ids is for everybody. */
export const isListed = (userIds: readonly unknown[], who: PersonKey): boolean =>
  userIds.length === 0 || userIds.includes(personId(who)) || userIds.includes(people[who].objectId)
