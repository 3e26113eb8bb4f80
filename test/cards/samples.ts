/** The sample data that stand beside each template, made from the hand-made records: several where phases differ. */
import {
  approvalData,
  confirmUnlinkData,
  helpData,
  linkFormData,
  statusData,
  welcomeData,
} from '../../src/teams/cards.ts'
import type { TemplateName, Value } from '../../src/teams/cardTemplates.ts'
import { en } from '../../src/teams/words/en.ts'
import { approvalOf, names, records, signalr, statusOf, vault } from './records.ts'

type Samples = Readonly<Record<string, { readonly [key: string]: Value }>>
const drawing = { tenantId: '72f988bf-0000-4000-8000-00000000c0de' }

const commands = [
  {
    title: 'Link',
    description: 'ask for a private link from a SignalR to a Key Vault',
    example: 'link contoso-signalr to contoso-kv because custom domain certificate',
  },
  { title: 'Status', description: 'how a link stands, and where to look in Azure', example: 'status' },
  { title: 'List', description: 'the links of this channel', example: 'list' },
  { title: 'Cancel', description: 'take a request back', example: 'cancel' },
  {
    title: 'Unlink',
    description: 'remove a link that works',
    example: 'unlink contoso-signalr from contoso-kv',
  },
  { title: 'Own', description: 'let this channel decide for a vault', example: 'own contoso-kv' },
]

const status: Samples = Object.fromEntries(
  Object.entries(records).map(([stage, link]) => [stage, statusData(statusOf(link), names, en, drawing)]),
)
const approval: Samples = Object.fromEntries(
  Object.entries(records).flatMap(([stage, link]) => {
    const view = approvalOf(link)
    return view ? [[stage, approvalData(view, names, en, drawing)]] : []
  }),
)

export const samples: Readonly<Record<TemplateName, Samples>> = {
  status,
  approval,
  linkForm: {
    lists: linkFormData(
      { signalrs: [signalr, signalr.replace('contoso-signalr', 'contoso-chat')], vaults: [vault] },
      { signalr: 'contoso-signalr' },
      en,
    ),
    typed: linkFormData(
      { signalrs: [], vaults: [] },
      { vault: 'contoso-kv', because: 'custom domain certificate' },
      en,
    ),
  },
  confirmUnlink: { approved: confirmUnlinkData(records.approved, en, drawing) },
  help: { commands: helpData(en, commands) },
  welcome: {
    team: welcomeData(en, { installedBy: 'Riley Park', inTeam: true }),
    personal: welcomeData(en, { inTeam: false }),
  },
}
export const templateNames = Object.keys(samples) as readonly TemplateName[]
