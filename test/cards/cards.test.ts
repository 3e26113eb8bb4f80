/** Every template with every sample, every view of every stage, and what they say. Strangers' words: naughty.test.ts. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Link } from '../../src/link/link.ts'
import type { NudgeView, View } from '../../src/link/views.ts'
import {
  linkFormCard,
  type Names,
  namesOf,
  portalUrl,
  renderView,
  statusText,
} from '../../src/teams/cards.ts'
import { expand } from '../../src/teams/cardTemplates.ts'
import { activityOf } from '../../src/teams/messenger.ts'
import { toPlain, toXml } from '../../src/teams/prose.ts'
import { en } from '../../src/teams/words/en.ts'
import { problemsOf } from './cardRules.ts'
import {
  approvalOf,
  botLacksRight,
  names,
  news,
  newsOf,
  nudgedRecords,
  nudgesOf,
  records,
  signalr,
  statusOf,
  vault,
  viewsOf,
} from './records.ts'
import { samples, templateNames } from './samples.ts'

const drawing = { tenantId: 'contoso.example' }
const every = templateNames.flatMap((name) =>
  Object.keys(samples[name]).map((sample) => [name, sample] as const),
)
const nudgedViews = Object.values(nudgedRecords).flatMap(nudgesOf)
const stages = Object.entries(records) as readonly (readonly [string, Link])[]
const shown = async (view: View | undefined, by: Names = names): Promise<string> => {
  if (!view) throw new Error('no such view')
  return cardText((await renderView(view, by, en, drawing)).card, { open: true }).join('\n')
}

describe('templates with their sample data', () => {
  test.each(every)('%s: %s', async (name, sample) => {
    const card = await expand(name, samples[name][sample] ?? {})
    expect(problemsOf(card)).toEqual([])
  })

  test.each(templateNames)('the sample data beside %s.json are those of the code', (name) => {
    const file: unknown = JSON.parse(
      readFileSync(new URL(`../../cards/${name}.sample.json`, import.meta.url), 'utf8'),
    )
    expect(file).toEqual(samples[name])
  })

  test('a template that is not given what it asks for is found out', async () => {
    const { title: _, ...without } = samples.help.commands ?? {}
    expect(problemsOf(await expand('help', without))).toContain('A binding is left')
  })
})

describe('views of every stage', () => {
  test.each(stages)('%s', async (_, link) => {
    for (const view of viewsOf(link)) {
      const { card, summary } = await renderView(view, names, en, drawing)
      expect(problemsOf(card)).toEqual([])
      expect(summary).toMatch(/^\S.{10,}$/)
    }
  })

  test('what is final has no button, what is not has the portal', async () => {
    for (const [, link] of stages) {
      const final = ['Approved', 'Rejected', 'Cancelled', 'Expired', 'Failed', 'Removed'].includes(
        link.stage.status,
      )
      for (const view of [statusOf(link), approvalOf(link)]) {
        if (view) expect((await shown(view)).includes('[View in Azure portal]')).toBe(!final)
      }
    }
  })

  test('five steps, each a sign with a word', async () => {
    for (const [, link] of stages) {
      const lines = (await shown(statusOf(link))).split('\n')
      expect(
        lines.filter((line) => /^(✓ {2}Done|● {2}Now|○ {2}Next|✕ {2}Stopped|– {2}Not done) {2}\S/.test(line)),
      ).toHaveLength(5)
    }
  })

  test('the status card waits for somebody until a time, and can be taken back', async () => {
    const text = await shown(statusOf(records.pending))
    expect(text).toContain('Link contoso-signalr to contoso-kv')
    expect(text).toContain("Waiting for the vault's owner · until 30 Nov, 14:02 UTC")
    expect(text).toContain(
      '(hidden) Request message: custom domain certificate [vaultlink 4f7c9e21d0b84c6fa35e7d1890ab2c3d]',
    )
    expect(text).toContain('[Cancel request] [Show details] [View in Azure portal]')
    expect(text).toContain('Yes, cancel')
  })

  test('the approval card says who, why, what it does, what was checked, and why here', async () => {
    const text = await shown(approvalOf(records.pending))
    for (const part of [
      'Approve a private connection to contoso-kv?',
      'by 30 Nov, 14:02 UTC',
      'Riley Park asks to connect contoso-signalr: "custom domain certificate"',
      'From: contoso-signalr (group contoso, subscription 00000000-0000-0000-0000-000000000000)',
      'To: contoso-kv (group contoso)',
      'Connection: 8d1f42c6a7e94b0d9c35f1e2',
      'It grants no rights to secrets, keys or certificates, and leaves public access as it is. You can undo it.',
      'It is still Pending.',
      'This channel decides for contoso-kv, since 12 March 2026.',
      '[Approve…] [Reject…] [View in Azure portal]',
      'Reason (the requester will see it)',
    ])
      expect(text).toContain(part)
  })

  test('a reason for a rejection is asked for, and capped', async () => {
    const view = approvalOf(records.pending)
    if (!view) throw new Error('no such view')
    const { card } = await renderView(view, names, en, drawing)
    expect(JSON.stringify(card)).toMatch(/"id":"reason"[^}]*"maxLength":300\b/)
  })

  test("while it is open the card says nothing of Azure's comings and goings: nobody's reason is wiped", async () => {
    const open = approvalOf(records.pending)
    const later = approvalOf({ ...records.pending, moved: records.pending.moved + 1, late: true })
    expect(await shown(open)).toBe(await shown(later))
  })

  test('a blocked link names the right, the scope, and Retry on both cards', async () => {
    for (const view of [statusOf(records.stopped), approvalOf(records.stopped)]) {
      const text = await shown(view)
      expect(text).toContain(botLacksRight.cause === 'botLacksRight' ? botLacksRight.action : '?')
      expect(text).toContain(vault)
      expect(text).toContain('[Retry]')
    }
  })

  test('a forgotten person is somebody, a forgotten reason is left out', async () => {
    const nobody: Names = { person: () => undefined, text: () => undefined }
    const text = await shown(approvalOf(records.pending), nobody)
    expect(text).toContain('somebody asks to connect contoso-signalr\n')
    expect(text).toContain('Request message: please approve [vaultlink')
    expect(await shown(statusOf(records.approved), nobody)).toContain('Approved by somebody')
  })

  test.each([
    ['Europe/Berlin', '2026-10-25T00:30Z', '25 Oct, 02:30 CEST'],
    ['Europe/Berlin', '2026-10-25T01:30Z', '25 Oct, 02:30 CET'],
    ['Europe/Berlin', '2027-03-28T00:59Z', '28 Mar, 01:59 CET'],
    ['Europe/Berlin', '2027-03-28T01:00Z', '28 Mar, 03:00 CEST'],
    ['Europe/Berlin', '2026-12-31T23:05Z', '1 Jan, 00:05 CET'],
    ['UTC', '2026-10-25T00:30Z', '25 Oct, 00:30 UTC'],
  ])('in %s it ends at %s: both cards say %s', async (timeZone, ends, reads) => {
    const { asked } = records.pending
    const link = { ...records.pending, asked: { ...asked, expiresAt: Date.parse(ends) } }
    for (const [view, says] of [
      [statusOf(link), `Waiting for the vault's owner · until ${reads}`],
      [approvalOf(link), `Your decision · by ${reads}`],
    ] as const) {
      if (!view) throw new Error('no such view')
      const { card } = await renderView(view, names, en, { timeZone })
      expect(cardText(card).join('\n')).toContain(says)
    }
  })

  test('the keys of a view are those that drawing it asks for', async () => {
    for (const [, link] of stages) {
      for (const view of [...viewsOf(link), ...newsOf({ ...link, news }), ...nudgedViews]) {
        const asked = { people: new Set<string>(), texts: new Set<string>() }
        const spy: Names = {
          person: (key) => {
            asked.people.add(key)
            return names.person(key)
          },
          text: (key) => {
            asked.texts.add(key)
            return names.text(key)
          },
        }
        await renderView(view, spy, en, drawing)
        const needed = namesOf(view)
        expect([...asked.people].filter((key) => !needed.people.includes(key))).toEqual([])
        expect([...asked.texts].filter((key) => !needed.texts.includes(key))).toEqual([])
      }
    }
  })

  test('where owners decide as themselves the bot rejects no connection, so the card leads to the portal', async () => {
    const view = approvalOf(records.unfollowed)
    if (!view) throw new Error('no such view')
    const { card } = await renderView(view, names, en, { ...drawing, asApprover: true })
    expect(await shown(view)).toContain(en.buttons.rejectConnection)
    expect(JSON.stringify(card)).not.toContain('rejectConnection')
    expect(cardText(card, { open: true }).join('\n')).not.toContain(en.buttons.rejectConnection)
    expect(cardText(card).join('\n')).toContain('reject it there.')
  })

  test('times are in the zone that was asked for', async () => {
    const { card } = await renderView(statusOf(records.pending), names, en, { timeZone: 'Asia/Kolkata' })
    expect(cardText(card).join('\n')).toContain('until 30 Nov, 19:32 GMT+5:30')
  })
})

describe('what time brings', () => {
  const said = async (link: Link, to: NudgeView['to'], nudge?: NudgeView['nudge']): Promise<string> => {
    const view = nudgesOf(link).findLast((one) => one.to === to && (nudge ?? one.nudge) === one.nudge)
    if (!view) throw new Error('no such view')
    return toPlain((await renderView(view, names, en, { ...drawing, timeZone: 'Europe/Berlin' })).text ?? '')
  }
  const { reminded, remindedAgain, remindedEndorsed, remindedForTwo, ending, endingEndorsed, endingEarly } =
    nudgedRecords

  test('a reminder says who waits since when, by when to decide, and where', async () => {
    expect(await said(reminded, 'owners')).toBe(
      'Reminder: Riley Park asked to connect contoso-signalr on 24 Nov, 14:58 CET, and nobody has decided for contoso-kv yet. ' +
        'Please decide on the card above by 30 Nov, 15:02 CET; after that the request ends. View in Azure portal',
    )
    expect(await said(remindedAgain, 'owners')).toMatch(
      /^Reminder 3: .*ends\. Another channel has been told that it waits\. View/,
    )
  })

  test('where several have to approve it names who did, and how many are missing', async () => {
    expect(await said(remindedForTwo, 'owners')).toContain('and two people have to approve for contoso-kv. ')
    expect(await said(remindedEndorsed, 'owners')).toContain(
      'and Noor Haddad approved, and one more person has to approve for contoso-kv. ',
    )
    expect(await said(endingEndorsed, 'requester')).toContain(
      'Noor Haddad approved, and one more person has to approve for contoso-kv. ',
    )
  })

  test('the second channel hears what waits, why, and who can do something', async () => {
    expect(await said(remindedEndorsed, 'escalation')).toBe(
      'Still waiting: Noor Haddad approved, and one more person has to approve for contoso-kv. ' +
        'Riley Park asked to connect contoso-signalr on 24 Nov, 14:58 CET: "custom domain certificate". ' +
        'Its owners were reminded 2 times in the channel that decides for contoso-kv. Without an answer it ends on 30 Nov, 15:02 CET. ' +
        'Whoever may approve there can decide on the card in that channel or in the Azure portal, and Vaultlink will notice: View in Azure portal',
    )
    expect(await said(remindedForTwo, 'escalation')).toContain('were reminded once in')
  })

  test('a day ahead both sides hear when it ends, what happens then, and what they can do', async () => {
    expect(await said(ending, 'requester')).toBe(
      'Your request ends on 30 Nov, 15:02 CET: nobody has decided for contoso-kv yet. Then the link kv-contoso-kv is removed from contoso-signalr. ' +
        "If it is still wanted, talk to the vault's owner now, or ask again after that: link contoso-signalr to contoso-kv.",
    )
    expect(await said(ending, 'owners')).toBe(
      'This request ends on 30 Nov, 15:02 CET: nobody has decided for contoso-kv yet. If it is not decided on the card above by then, ' +
        'the link kv-contoso-kv is removed from contoso-signalr, and Riley Park can ask again. View in Azure portal',
    )
    expect(await said(endingEarly, 'requester')).toContain(
      'it is still creating the endpoint, and the owners of contoso-kv could not be asked yet.',
    )
  })

  test('only whoever asked is mentioned', async () => {
    for (const view of nudgedViews) {
      const { mentions = [] } = await renderView(view, names, en, drawing)
      expect(mentions.map(({ name }) => name)).toEqual(view.to === 'requester' ? ['Riley Park'] : [])
    }
  })
})

describe('replies', () => {
  const all = newsOf({
    ...records.approved,
    followers: [{ by: 'noor', thread: records.pending.asked.thread }],
    news,
  })

  test('every piece of news has a sentence for each of its audiences', async () => {
    expect(all.length).toBeGreaterThan(25)
    for (const view of all) {
      const { text, card, summary } = await renderView(view, names, en, drawing)
      expect(card).toBeUndefined()
      expect(toPlain(text ?? '')).toMatch(/^\S[\s\S]{20,}$/)
      expect(`${toPlain(text ?? '')} ${summary}`).not.toMatch(/undefined|\[object|NaN|\.\./)
    }
  })

  test('the good news says who approved when, and that the vault is still public', async () => {
    const view = all.find(({ to, news: { news } }) => to === 'requester' && news === 'approved')
    if (!view) throw new Error('no such view')
    const activity = activityOf(await renderView(view, names, en, drawing))
    expect(activity.text).toBe(
      '<at>Riley Park</at> contoso-signalr can now reach contoso-kv privately. Approved by Noor Haddad at 14:02 UTC; ' +
        'SignalR says Succeeded and Approved since 14:06 UTC. contoso-kv still accepts public traffic: ' +
        `<a href="https://portal.azure.com/#@contoso.example/resource${vault}">View in Azure portal</a>`,
    )
    expect(activity.entities).toEqual([
      {
        type: 'mention',
        text: '<at>Riley Park</at>',
        mentioned: { id: '29:1', name: 'Riley Park', aadObjectId: 'a0000000-0000-4000-8000-000000000001' },
      },
    ])
  })

  test('a private vault is not called public', async () => {
    const { seen } = records.approved
    const link = { ...records.approved, ...(seen && { seen: { ...seen, vaultIsPublic: false } }), news }
    const view = newsOf(link)[0]
    if (!view) throw new Error('no news')
    const text = toXml((await renderView(view, names, en, drawing)).text ?? '')
    expect(text).not.toContain('public')
    // What there is to see is then on the SignalR.
    expect(text).toContain(`/resource${signalr}"`)
  })

  test('a rejection tells the reason', async () => {
    const view = newsOf({ ...records.rejected, news: news.slice(1, 2) })[0]
    if (!view) throw new Error('no news')
    expect(toPlain((await renderView(view, names, en, drawing)).text ?? '')).toContain(
      'Rejected by Noor Haddad: "Please use contoso-certs, which is meant for certificates." contoso-signalr',
    )
  })

  test('status ends with the portal and the command line', () => {
    const text = toXml(statusText(statusOf(records.pending), names, en, drawing))
    expect(text).toContain(
      '>View in Azure portal</a><br/>The same from the command line: <code>az rest --method get',
    )
    expect(text).toContain(`${signalr}/sharedPrivateLinkResources/kv-contoso-kv?api-version=2024-03-01`)
  })

  test('no command line for an id that a shell would read otherwise', () => {
    const odd = { ...statusOf(records.pending), signalr: signalr.replace('contoso/', 'a"$(b)/') }
    expect(toPlain(statusText(odd, names, en, drawing))).not.toContain('az rest')
    expect(portalUrl('javascript:alert(1)', {})).toBe('https://portal.azure.com')
  })

  test('an address that a card would cut off leads to the portal itself', () => {
    const long = signalr.replace('/contoso/', `/${'ü'.repeat(300)}/`)
    expect(portalUrl(long, {})).toBe('https://portal.azure.com')
    expect(portalUrl(long.replace(/ü+/, 'ü'), {})).toContain('/%C3%BC/')
  })
})

describe('where Markdown is read', () => {
  const stopped = async (action: string, scope: string): Promise<string> => {
    const at = records.stopped.blocked.at
    const link = { ...records.stopped, blocked: { at, cause: { cause: 'botLacksRight', action, scope } } }
    const { card } = await renderView(statusOf(link as Link), names, en, drawing)
    expect(problemsOf(card)).toEqual([])
    return JSON.stringify(card)
  }
  test.each(['- one', '1. one', '---', 'www.evil.example/x', '*x*'])(
    '%s is no right to be copied',
    async (text) => {
      expect(await stopped(text, vault)).not.toContain(`"type":"TextBlock","spacing":"None","text":"${text}"`)
      expect(await stopped('Microsoft.KeyVault/vaults/read', vault)).toContain(
        '"type":"TextBlock","spacing":"None","text":"Microsoft.KeyVault/vaults/read"',
      )
    },
  )
  test('a scope that Azure did not name has no row', async () => {
    expect(await stopped('Microsoft.KeyVault/vaults/read', '')).not.toContain('Scope')
  })
  test('a fallback text has none', async () => {
    const person = { objectId: 'o', teamsId: '29:x', name: '[Noor](https://evil.example) *H*', tenant: 't' }
    const { card, summary } = await renderView(
      statusOf(records.rejected),
      { person: () => person, text: () => '<b>`no`</b> ![x](y)' },
      en,
      drawing,
    )
    expect(card?.fallbackText).toBe(
      'contoso-signalr to contoso-kv: Rejected by Noor(https://evil.example) H, "bno/b !x(y)"',
    )
    // A notification is plain.
    expect(summary).toContain('Rejected by [Noor](https://evil.example) *H*, "<b>`no`</b>')
  })
})

describe('what is no text', () => {
  test('an object in place of a name is not injected as card', async () => {
    const name = { type: 'Image', url: 'https://evil.example/x.png' } as unknown as string
    const view = approvalOf(records.pending)
    const stranger = { objectId: 'o', teamsId: '29:x', name, tenant: 't' }
    await expect(shown(view, { person: () => stranger, text: () => undefined })).rejects.toThrow()
  })
})

describe('the form', () => {
  const many = Array.from({ length: 200 }, (_, n) =>
    signalr.replace('contoso-signalr', `contoso-signalr-${n}`),
  )

  test('a list that is too long for a card becomes a field to type in', async () => {
    const { card } = await linkFormCard({ signalrs: many, vaults: many }, {}, en)
    expect(problemsOf(card)).toEqual([])
    expect(JSON.stringify(card)).not.toContain('Input.ChoiceSet')
  })

  test('two of one name are told apart by their groups', async () => {
    const ids = [signalr, signalr.replace('/contoso/', '/chat-blue/')]
    const text = cardText((await linkFormCard({ signalrs: ids, vaults: [vault] }, {}, en)).card).join('\n')
    expect(text).toContain('contoso-signalr (chat-blue, 00000000-0000-0000-0000-000000000000)')
  })

  test('what is known is filled in, by name or id, and only when it is certain', async () => {
    const ids = [signalr, signalr.replace('/contoso/', '/chat-blue/')]
    const filledIn = async (known: string): Promise<unknown> => {
      const { card } = await linkFormCard({ signalrs: ids, vaults: [] }, { signalr: known }, en)
      const body = (card?.body ?? []) as readonly { id?: string; value?: string }[]
      return body.find(({ id }) => id === 'signalr')?.value
    }
    expect(await filledIn('contoso-signalr')).toBeUndefined()
    expect(await filledIn(signalr.toUpperCase())).toBe(signalr)
  })
})
