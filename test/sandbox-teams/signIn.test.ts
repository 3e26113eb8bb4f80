/** Signing in at a button: what a client does when a press is answered with 401, and with 412. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { decodeJwt } from 'jose'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { approver, directory, people } from '../../sandbox/seed.ts'
import { type Message, startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { answerInvoke, cardAttachment, startBot, type TestBot } from './bot.ts'
import { approvalCard } from './cards.ts'

let azure: Azure
let teams: Teams
let bot: TestBot
let card: Message

const messageType = 'application/vnd.microsoft.activity.message'
const loginType = 'application/vnd.microsoft.activity.loginRequest'
const login = {
  text: 'Please sign in',
  connectionName: 'vaultlink',
  tokenExchangeResource: { id: 'request-1', uri: approver.uri, providerId: '' },
  buttons: [{ type: 'signin', title: 'Sign in', value: 'https://login.example/page' }],
}
const press = () => teams.person('owner').presses('Yes, approve').on(card)
const sent = () =>
  bot.received.flatMap(({ activity }) => (activity.type === 'invoke' ? [activity.value] : []))
type Value = { authentication?: { id: string; connectionName: string; token: string } }

/** Asks whoever comes without a token to sign in; what comes with one is answered by `then`. */
function asking(value: unknown, then: (token: string) => readonly [number, string, unknown]): void {
  bot.logic = async (context) => {
    if (context.activity.type === 'message')
      await context.sendActivity({ type: 'message', attachments: [cardAttachment(approvalCard)] })
    if (context.activity.type !== 'invoke') return
    const { authentication } = context.activity.value as Value
    await answerInvoke(
      context,
      ...(authentication ? then(authentication.token) : ([401, loginType, value] as const)),
    )
  }
}

beforeEach(async () => {
  ;[azure, teams, bot] = await Promise.all([startAzure({ directory }), startTeams(), startBot()])
  teams.connect(bot.url)
  teams.configure({ entra: azure.url })
  await teams.install('contoso', 'owner')
  asking(login, () => [200, messageType, 'Thanks.'])
  card = (await teams.person('owner').says('card please').in('general')).replies.at(-1) ?? card
})
afterEach(async () => {
  await Promise.all([azure.close(), teams.close(), bot.close()])
  expect(bot.errors).toEqual([])
})

test('the press is sent again with a token for the presser and the application', async () => {
  expect(await press()).toMatchObject({ status: 200, text: 'Thanks.' })
  const [first, second, ...more] = sent() as [Value, Value]
  expect(more).toEqual([])
  expect(first).not.toHaveProperty('authentication')
  const { authentication, ...same } = second
  expect(same).toEqual(first)
  expect(authentication).toMatchObject({ id: 'request-1', connectionName: 'vaultlink' })
  expect(decodeJwt(authentication?.token ?? '')).toMatchObject({
    aud: approver.appId,
    oid: people.owner.objectId,
  })
  expect(teams.events.filter(({ kind }) => kind === 'answers')).toHaveLength(1)
})

test('a client that cannot sign in shows the text and the page, and sends nothing again', async () => {
  teams.configure({ entra: '' })
  expect(await press()).toMatchObject({
    status: 401,
    text: 'Please sign in',
    signIn: { page: 'https://login.example/page' },
  })
  teams.configure({ entra: azure.url })
  const { tokenExchangeResource: _none, ...nominal } = login
  asking(nominal, () => [200, messageType, 'Thanks.'])
  expect(await press()).toMatchObject({ status: 401 })
  asking({ ...login, tokenExchangeResource: { id: '1', uri: 'api://nobody' } }, () => [200, messageType, ''])
  expect(await press()).toMatchObject({ status: 401 })
  expect(sent()).toHaveLength(3)
})

test('a request to sign in that is not as Teams wants it is no answer', async () => {
  for (const wrong of [{ ...login, connectionName: '' }, { ...login, buttons: [] }, undefined]) {
    asking(wrong, () => [200, messageType, 'Thanks.'])
    expect(await press()).toMatchObject({ text: 'Something went wrong. Please try again.' })
  }
})

test('an answer of 412 asks for consent; whoever agrees has pressed again with that', async () => {
  const failed = { code: '412', message: 'Please agree.' }
  let agreed = false
  asking(login, () =>
    agreed
      ? [200, messageType, 'Thanks.']
      : [412, 'application/vnd.microsoft.error.preconditionFailed', failed],
  )
  const owner = teams.person('owner')
  await expect(owner.agrees()).rejects.toThrow('not asked')
  expect(await press()).toMatchObject({ status: 412, text: 'Please agree.' })
  await expect(teams.person('second').agrees()).rejects.toThrow('not asked')
  agreed = true
  expect(await owner.agrees()).toMatchObject({ status: 200, text: 'Thanks.' })
  expect(sent()).toHaveLength(4)
  await expect(owner.agrees()).rejects.toThrow('not asked')
})
