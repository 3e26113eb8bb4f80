/** Every template with every sample, every view of every stage, and what strangers may write into them. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Person } from '../../src/engine/ports.ts'
import type { Cause, Link } from '../../src/link/link.ts'
import type { View } from '../../src/link/views.ts'
import {
  confirmUnlinkCard,
  linkFormCard,
  type Names,
  namesOf,
  portalUrl,
  renderView,
  statusText,
  welcomeCard,
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

  test('the keys of a view are those that drawing it asks for', async () => {
    for (const [, link] of stages) {
      for (const view of [...viewsOf(link), ...newsOf({ ...link, news })]) {
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
})

const naughty: readonly string[] = [
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: what a stranger may write
  '${asker}',
  '${$root.link} ${1+1} ${json(\'{"type":"Image"}\')}',
  "${if(true, 'a', 'b')}",
  '`${x}`',
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: what a stranger may write
  '{{DATE(2026-01-01T00:00:00Z)}} {{TIME(2026-01-01T00:00:00Z)}}',
  '$ {{{{x}}}} $${y} {{{z}}}',
  '[click](https://evil.example) **bold** _i_ # h\n- list\n1. one',
  '<at>Everybody</at> <a href="https://evil.example">x</a> <script>alert(1)</script> &lt;b&gt;',
  '"quotes" \'single\' \\ back \\u0041',
  '{"type":"TextBlock","text":"injected"}',
  'a\u202Eb\u2066c\u2069 \u200Fd\u061C\u200B\u2060\uFEFF\u0000\u0007\u001b[31m\u0085\u2028\u2029',
  '\uD800lone\uDFFF',
  'Z\u0335\u0322\u0321\u0328\u0337\u0336\u0335\u0334algo\u0335\u0322\u0321\u0328\u0337',
  '👩‍👩‍👧‍👦 नमस्ते مرحبا 你好 ไทย',
  '   \t\n  ',
  '',
  'x'.repeat(100_000),
  '😀'.repeat(50_000),
  '\u{E0041}\u{E0042}tags\u{E007F}',
]

describe('naughty strings', () => {
  const stranger = (text: string): Names => ({
    person: (): Person => ({ objectId: 'o', teamsId: '29:x', name: text, tenant: 't' }),
    text: () => text,
  })
  const causes = (text: string): readonly Cause[] => [
    { cause: 'refused', code: text, message: text },
    { cause: 'provisioningFailed', code: text, message: text },
    { cause: 'notRegistered', message: text },
    { cause: 'madeByOthers', name: text, status: 'Unknown' },
    { cause: 'botLacksRight', action: text, scope: text },
    { cause: 'unavailable', code: text },
  ]
  const odd = (text: string, link: Link, cause: Cause): Link => ({
    ...link,
    asked: { ...link.asked, name: text, signalr: `${signalr}${text}`, vault: `${vault}${text}` },
    ...(link.pinned && {
      pinned: { ...link.pinned, connection: `${vault}/privateEndpointConnections/${text}` },
    }),
    ...(link.blocked && { blocked: { ...link.blocked, cause } }),
    ...('cause' in link.stage && { stage: { ...link.stage, cause } }),
    news: news.map((piece) => ('cause' in piece && piece.news !== 'ended' ? { ...piece, cause } : piece)),
  })
  /** What a reader does not see, but a new line between our own. */
  const unseen = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}]/u

  test.each(naughty.map((text) => [JSON.stringify(text).slice(0, 40), text] as const))(
    '%s is only text',
    async (_, text) => {
      for (const [index, cause] of causes(text).entries()) {
        // Those that show a cause with each; the others once.
        const links: readonly Link[] = [
          records.stopped,
          ...(index === 0 ? [records.pending, records.rejected, records.failed] : []),
        ]
        for (const link of links) {
          for (const view of viewsOf(odd(text, link, cause))) {
            const rendered = await renderView(view, stranger(text), en, drawing)
            if (rendered.card) {
              expect(problemsOf(rendered.card)).toEqual([])
              expect(JSON.stringify(rendered.card)).not.toMatch(unseen)
              expect(JSON.stringify(rendered.card).isWellFormed()).toBe(true)
              expect(textBlocksOf(rendered.card).join('\n')).not.toMatch(/[*_[\]`<>#\\]/)
            } else {
              const { text: xml = '', entities = [] } = activityOf(rendered)
              expect(
                xml.replace(
                  /<\/?(?:at|a|code|strong)(?: href="https:\/\/portal\.azure\.com[^"<>]*")?>|<br\/>/g,
                  '',
                ),
              ).not.toMatch(/[<>]/)
              expect(xml).not.toMatch(unseen)
              expect(Buffer.byteLength(xml)).toBeLessThan(20_000)
              // Teams ignores a mention whose text does not stand in the message word for word.
              for (const entity of entities) expect(xml).toContain('text' in entity && entity.text)
            }
          }
        }
      }
    },
  )

  test.each(naughty.map((text) => [JSON.stringify(text).slice(0, 40), text] as const))(
    '%s in forms and questions',
    async (_, text) => {
      const ids = [`${signalr}${text.slice(0, 300)}`, signalr]
      const form = await linkFormCard(
        { signalrs: ids, vaults: [vault] },
        { signalr: text, vault: text, as: text, because: text },
        en,
      )
      const typed = await linkFormCard(
        { signalrs: [], vaults: [] },
        { signalr: text, vault: text, because: text },
        en,
      )
      const asks = await confirmUnlinkCard(odd(text, records.approved, { cause: 'throttled' }), en, drawing)
      const hello = await welcomeCard(en, { installedBy: text, inTeam: true })
      for (const { card } of [form, typed, asks, hello]) {
        expect(problemsOf(card)).toEqual([])
        expect(JSON.stringify(card)).not.toMatch(unseen)
      }
    },
  )

  test('an object in place of a name is not injected as card', async () => {
    const name = { type: 'Image', url: 'https://evil.example/x.png' } as unknown as string
    const view = approvalOf(records.pending)
    await expect(shown(view, stranger(name))).rejects.toThrow()
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

/** The texts that clients read as Markdown. */
function textBlocksOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return []
  const { type, text } = node as { type?: unknown; text?: unknown }
  return [
    ...(type === 'TextBlock' && typeof text === 'string' ? [text] : []),
    ...Object.values(node).flatMap(textBlocksOf),
  ]
}
