/** Every field that a person, or Azure, can fill, and every place in Teams that shows it: as data, to be crossed. */
import type { Person } from '../../src/engine/ports.ts'
import type { Cause, Link } from '../../src/link/link.ts'
import { resourceName } from '../../src/link/resourceId.ts'
import type { View } from '../../src/link/views.ts'
import {
  aboutOf,
  confirmUnlinkCard,
  decidedOf,
  linkFormCard,
  type Names,
  type Rendered,
  renderView,
  statusText,
  welcomeCard,
} from '../../src/teams/cards.ts'
import { azureName, type Prose, toPlain } from '../../src/teams/prose.ts'
import { en } from '../../src/teams/words/en.ts'
import { approvalOf, news, newsOf, nudgedRecords, nudgesOf, records, statusOf } from './records.ts'
import type { Kind } from './shown.ts'

export const fields = {
  asker: 'words',
  approver: 'words',
  remover: 'words',
  installer: 'words',
  reason: 'words',
  rejection: 'words',
  azureMessage: 'words',
  azureCode: 'words',
  missingAction: 'words',
  missingScope: 'words',
  rivalName: 'words',
  tier: 'words',
  connection: 'words',
  group: 'words',
  typedName: 'words',
  typedAs: 'words',
  typedReason: 'words',
  signalr: 'name',
  vault: 'name',
  link: 'name',
} as const satisfies Record<string, Kind>
export type Field = keyof typeof fields
export type Fill = Readonly<Record<Field, string>>

export const harmless: Fill = {
  asker: 'Riley Park',
  approver: 'Noor Haddad',
  remover: 'Mika Aalto',
  installer: 'Riley Park',
  reason: 'custom domain certificate',
  rejection: 'Please use contoso-certs.',
  azureMessage: 'The vault is full.',
  azureCode: 'QuotaExceeded',
  missingAction: 'Microsoft.KeyVault/vaults/read',
  missingScope: 'contoso-kv',
  rivalName: 'kv-theirs',
  tier: 'Free_F1',
  connection: '8d1f42c6',
  group: 'contoso',
  typedName: 'contoso-chat',
  typedAs: 'kv',
  typedReason: 'because of that',
  signalr: 'contoso-signalr',
  vault: 'contoso-kv',
  link: 'kv-contoso-kv',
}

export type Place = {
  readonly place: string
  /** The fields that nothing else shows so; all when absent. */
  readonly fields?: readonly Field[]
  draw(fill: Fill): Promise<Rendered>
}

const drawing = { tenantId: 'contoso.example' }
const person = (name: string, n: number): Person => ({
  objectId: `a0000000-0000-4000-8000-00000000000${n}`,
  teamsId: `29:${n}`,
  name,
  tenant: 't',
})
/** A name in an id has no slash: it would be another id. */
const segment = (text: string): string => text.replaceAll('/', '').slice(0, 300)
const idOf = (fill: Fill, type: string, name: string): string =>
  `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/${segment(fill.group).slice(0, 80) || 'g'}/providers/${type}/${segment(name) || 'n'}`
const signalrOf = (fill: Fill): string => idOf(fill, 'Microsoft.SignalRService/SignalR', fill.signalr)
const vaultOf = (fill: Fill): string => idOf(fill, 'Microsoft.KeyVault/vaults', fill.vault)

const namesOf = (fill: Fill): Names => ({
  person: (key) =>
    ({
      riley: person(fill.asker, 1),
      noor: person(fill.approver, 2),
      mika: person(fill.remover, 3),
    })[key],
  text: (key) => ({ why: fill.reason, no: fill.rejection })[key],
})

/** The hand-made record of that stage, filled. */
function linkOf(stage: keyof typeof records, fill: Fill, cause?: Cause): Link {
  const link: Link = records[stage]
  const name = segment(fill.link)
  return {
    ...link,
    asked: { ...link.asked, signalr: signalrOf(fill), vault: vaultOf(fill), name },
    ...(link.pinned && {
      pinned: {
        ...link.pinned,
        connection: `${vaultOf(fill)}/privateEndpointConnections/${segment(fill.connection)}`,
      },
    }),
    ...(link.blocked && cause && { blocked: { ...link.blocked, cause } }),
    ...('cause' in link.stage && cause && { stage: { ...link.stage, cause } }),
  }
}

const causes: Readonly<Record<string, (fill: Fill) => Cause>> = {
  refused: (fill) => ({ cause: 'refused', code: fill.azureCode, message: fill.azureMessage }),
  provisioningFailed: (fill) => ({
    cause: 'provisioningFailed',
    code: fill.azureCode,
    message: fill.azureMessage,
  }),
  quota: (fill) => ({ cause: 'quota', message: fill.azureMessage }),
  locked: (fill) => ({ cause: 'locked', message: fill.azureMessage }),
  notRegistered: (fill) => ({ cause: 'notRegistered', message: fill.azureMessage }),
  conflict: (fill) => ({ cause: 'conflict', code: fill.azureCode }),
  unavailable: (fill) => ({ cause: 'unavailable', code: fill.azureCode }),
  madeByOthers: (fill) => ({ cause: 'madeByOthers', name: fill.rivalName, status: 'Pending' }),
  botLacksRight: (fill) => ({
    cause: 'botLacksRight',
    action: fill.missingAction,
    scope: `/${segment(fill.missingScope)}`,
  }),
}

const drawn = async (view: View | undefined, fill: Fill): Promise<Rendered> => {
  if (!view) throw new Error('no such view')
  return renderView(view, namesOf(fill), en, drawing)
}
const statusCard = (stage: keyof typeof records): Place => ({
  place: `status card, ${stage}`,
  draw: (fill) => drawn(statusOf(linkOf(stage, fill)), fill),
})
const approvalCard = (stage: keyof typeof records): Place => ({
  place: `approval card, ${stage}`,
  draw: (fill) => drawn(approvalOf(linkOf(stage, fill)), fill),
})
const ofCauses = ['azureMessage', 'azureCode', 'missingAction', 'missingScope', 'rivalName'] as const
const stopped = Object.entries(causes).flatMap(([name, cause]): Place[] => [
  {
    place: `status card, stopped by ${name}`,
    fields: ofCauses,
    draw: (fill) => drawn(statusOf(linkOf('stopped', fill, cause(fill))), fill),
  },
  {
    place: `status card, failed by ${name}`,
    fields: ofCauses,
    draw: (fill) => drawn(statusOf(linkOf('failed', fill, cause(fill))), fill),
  },
  {
    place: `approval card, stopped by ${name}`,
    fields: ofCauses,
    draw: (fill) => drawn(approvalOf(linkOf('stopped', fill, cause(fill))), fill),
  },
])

const told = ['requester', 'owners', 'follower'] as const
const followed: Link = {
  ...records.approved,
  followers: [{ by: 'mika', thread: records.pending.asked.thread }],
}
/** Each audience of each piece of news: the mention, what is said, and the notification. */
const replies: readonly Place[] = news.flatMap((piece, index) =>
  told.flatMap((to): Place[] => {
    const stage = piece.news === 'ended' && piece.outcome === 'Rejected' ? 'rejected' : 'approved'
    const viewOf = (fill: Fill) =>
      newsOf({ ...linkOf(stage, fill), followers: followed.followers, news: [piece] }).find(
        (view) => view.to === to,
      )
    return viewOf(harmless)
      ? [
          {
            place: `reply ${index} to the ${to}: ${piece.news}${'outcome' in piece ? ` ${piece.outcome}` : ''}`,
            draw: (fill) => drawn(viewOf(fill), fill),
          },
        ]
      : []
  }),
)
const nudges: readonly Place[] = Object.entries(nudgedRecords).flatMap(([name, record]) =>
  nudgesOf(record).map((sample, index): Place => {
    const viewOf = (fill: Fill) => {
      const { asked } = linkOf('pending', fill)
      const { escalation } = record.asked
      return nudgesOf({ ...record, asked: { ...asked, ...(escalation && { escalation }) } })[index]
    }
    return {
      place: `${name}, to the ${sample.to}: ${sample.nudge}`,
      draw: (fill) => drawn(viewOf(fill), fill),
    }
  }),
)
const troubles: readonly Place[] = Object.entries(causes).flatMap(([name, cause]) =>
  (['blocked', 'ended'] as const).map((kind): Place => {
    const viewOf = (fill: Fill) => {
      const at = records.pending.moved
      const piece =
        kind === 'blocked'
          ? ({ news: 'blocked', at, cause: cause(fill) } as const)
          : ({ news: 'ended', outcome: 'Failed', at, cause: cause(fill) } as const)
      return newsOf({ ...linkOf('approved', fill), news: [piece] })[0]
    }
    return {
      place: `reply: ${kind} by ${name}`,
      draw: (fill) => drawn(viewOf(fill), fill),
    }
  }),
)

const said = (place: string, say: (fill: Fill) => Prose): Place => ({
  place,
  draw: async (fill) => ({ text: say(fill), summary: toPlain(say(fill)) }),
})
const pair = (fill: Fill) => ({
  signalr: azureName(resourceName(signalrOf(fill))),
  vault: azureName(resourceName(vaultOf(fill))),
})
const about = (fill: Fill) => aboutOf(statusOf(linkOf('pending', fill)), namesOf(fill), en)
const answers: readonly Place[] = [
  ...(['pending', 'rejected', 'cancelled'] as const).map((stage) =>
    said(`answer to status, ${stage}`, (fill) =>
      statusText(statusOf(linkOf(stage, fill)), namesOf(fill), en, drawing),
    ),
  ),
  said('answer to status, stopped', (fill) => [
    ...[causes.botLacksRight, causes.quota].flatMap((cause) =>
      statusText(statusOf(linkOf('stopped', fill, cause?.(fill))), namesOf(fill), en, drawing),
    ),
  ]),
  said('unknown SignalR', (fill) =>
    en.replies.unclear({ what: 'signalr', wrote: fill.typedName, is: 'unknown', like: [signalrOf(fill)] }),
  ),
  said('unknown vault', (fill) =>
    en.replies.unclear({ what: 'vault', wrote: fill.typedName, is: 'unknown', like: [vaultOf(fill)] }),
  ),
  said('two of one name', (fill) =>
    en.replies.unclear({ what: 'vault', wrote: fill.typedName, is: 'ambiguous', ids: ['/a', '/b'] }),
  ),
  said('two ids', (fill) =>
    en.replies.unclear({ what: 'vault', wrote: 'x', is: 'ambiguous', ids: [vaultOf(fill), '/b'] }),
  ),
  said('hidden', (fill) => {
    const cause = {
      cause: 'botLacksRight',
      action: fill.missingAction,
      scope: `/${segment(fill.missingScope)}`,
    } as const
    return en.replies.unclear({ what: 'vault', wrote: fill.typedName, is: 'hidden', cause })
  }),
  said('hidden otherwise', (fill) => {
    const cause = { cause: 'refused', code: fill.azureCode, message: fill.azureMessage } as const
    return en.replies.unclear({ what: 'vault', wrote: fill.typedName, is: 'hidden', cause })
  }),
  said('a word too many', (fill) => en.replies.tooManyWords(fill.typedName)),
  said('a bad name', (fill) => en.askRefusal({ refusal: 'badName', name: fill.typedAs }, pair(fill))),
  said('a name that is taken', (fill) =>
    en.askRefusal({ refusal: 'nameTaken', name: fill.typedAs }, pair(harmless)),
  ),
  said('linked already', (fill) =>
    en.askRefusal({ refusal: 'alreadyLinked', name: fill.rivalName }, pair(harmless)),
  ),
  said('linked by others', (fill) =>
    en.askRefusal({ refusal: 'madeByOthers', name: fill.rivalName, status: 'Pending' }, pair(harmless)),
  ),
  said('the free tier', (fill) => en.askRefusal({ refusal: 'freeTier', sku: fill.tier }, pair(harmless))),
  said('Vaultlink lacks a right', (fill) =>
    en.askRefusal({ refusal: 'botLacksRight', actions: [fill.missingAction], on: 'vault' }, pair(harmless)),
  ),
  said('followed', (fill) => en.replies.followed(about(fill), 'Pending', true)),
  said('list', (fill) => en.replies.list([{ ...pair(fill), status: 'working' }], 2)),
  said('which one', (fill) => en.replies.which('unlink', [{ ...pair(fill), status: 'working' }], 2)),
  said('not your request', (fill) =>
    en.refusal({ refusal: 'notYourRequest' }, about(fill), 'cancel', undefined, undefined, 'UTC'),
  ),
  said('decided already', (fill) => {
    const decision = { at: 0, checkedAt: 0, verdict: 'approve', where: 'card', by: 'noor' } as const
    const decided = decidedOf(decision, namesOf(fill), en)
    const refusal = { refusal: 'alreadyDecided', decision, status: 'Approving' } as const
    return en.refusal(refusal, about(fill), 'approve', decided, undefined, 'UTC')
  }),
  ...Object.entries(causes).map(([name, cause]) =>
    said(`a press refused by ${name}`, (fill) =>
      en.refusal(
        { refusal: 'connection', cause: cause(fill) },
        about(fill),
        'approve',
        undefined,
        undefined,
        'UTC',
      ),
    ),
  ),
]

const forms: readonly Place[] = [
  {
    place: 'the form, to be typed in',
    draw: ({ typedName, typedAs, typedReason }) =>
      linkFormCard(
        { signalrs: [], vaults: [] },
        { signalr: typedName, vault: typedName, as: typedAs, because: typedReason },
        en,
      ),
  },
  {
    place: 'the form, with lists',
    draw: (fill) =>
      linkFormCard(
        {
          signalrs: [signalrOf(fill), signalrOf(harmless).replace('contoso-', 'other-')],
          vaults: [vaultOf(fill)],
        },
        { signalr: fill.typedName, as: fill.typedAs, because: fill.typedReason },
        en,
      ),
  },
  {
    place: 'the question before unlinking',
    draw: (fill) => confirmUnlinkCard(linkOf('approved', fill), en, drawing),
  },
  {
    place: 'the welcome',
    draw: (fill) => welcomeCard(en, { installedBy: fill.installer, inTeam: true }),
  },
]

export const places: readonly Place[] = [
  statusCard('pending'),
  statusCard('approving'),
  statusCard('rejected'),
  statusCard('cancelled'),
  statusCard('approved'),
  statusCard('removed'),
  approvalCard('pending'),
  approvalCard('approving'),
  approvalCard('rejected'),
  approvalCard('cancelled'),
  approvalCard('removed'),
  ...stopped,
  ...replies,
  ...nudges,
  ...troubles,
  ...answers,
  ...forms,
]
