/** Handing activities to the bot's endpoint, and reading what an invoke answers. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import type { Activity, Answer, Settings } from './face.ts'
import { record, string } from './json.ts'
import { loginRequestIn } from './signIn.ts'
import type { World } from './world.ts'

export type Delivery = {
  connect(botUrl: string): void
  deliver(activity: Activity): Promise<Outcome>
  redeliver(activityId: string, sameId: boolean): Promise<Answer>
  close(): void
}

export type Outcome = { status: number; body: string }

/** What Teams writes under a card when the bot gave no usable answer. */
const unreachable = 'Unable to reach app. Please try again.'
const wentWrong = 'Something went wrong. Please try again.'

export function createDelivery(
  world: World,
  settings: Settings,
  authorization: () => Promise<string | undefined>,
): Delivery {
  const closing = new AbortController()
  const sent = new Map<string, Activity>()
  let botUrl: string | undefined

  const deliver = async (activity: Activity): Promise<Outcome> => {
    if (botUrl === undefined) throw new Error('No bot is connected: call connect(botUrl) first.')
    sent.set(activity.id, activity)
    const started = performance.now()
    const outcome = await post(botUrl, activity, {
      authorization: await authorization(),
      signal: closing.signal,
      deadlineMs: settings.deliveryDeadlineMs,
    })
    world.record({
      at: world.now(),
      who: 'Teams',
      kind: 'delivery',
      status: outcome.status,
      ms: Math.round(performance.now() - started),
    })
    return outcome
  }

  return {
    connect(url) {
      botUrl = url
    },
    deliver,
    async redeliver(activityId, sameId) {
      const activity = sent.get(activityId)
      if (!activity) throw new Error(`No activity ${activityId} was delivered.`)
      const again = sameId
        ? activity
        : {
            ...activity,
            id: activity.type === 'message' ? world.newId() : `f:${randomUUID()}`,
            timestamp: new Date(world.now()).toISOString(),
          }
      const outcome = await deliver(again)
      return again.type === 'invoke'
        ? { ...answerOf(outcome), activityId: again.id }
        : { status: outcome.status, activityId: again.id }
    },
    close: () => closing.abort(),
  }
}

type Posting = { authorization: string | undefined; signal: AbortSignal; deadlineMs: number }

/** Status 504 when the deadline passed, 502 when there was no answer at all. */
function post(url: string, activity: Activity, posting: Posting): Promise<Outcome> {
  const deadline = AbortSignal.timeout(posting.deadlineMs)
  const body = Buffer.from(JSON.stringify(activity))
  return new Promise((resolve) => {
    const fail = (error: unknown): void =>
      resolve({ status: deadline.aborted ? 504 : 502, body: error instanceof Error ? error.message : '' })
    const outgoing = request(
      url,
      {
        method: 'POST',
        // No kept connections: a bot that is killed and started again must not fail the next delivery.
        agent: false,
        signal: AbortSignal.any([posting.signal, deadline]),
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': body.byteLength,
          'user-agent': 'Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)',
          ...(posting.authorization !== undefined && { authorization: posting.authorization }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks).toString() }),
        )
      },
    )
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

/** What the presser sees: a message, a card, or Teams' own words when the answer is not a valid one. */
export function answerOf({ status, body }: Outcome): Answer {
  if (status !== 200) return { status, text: unreachable }
  const response = record(parsed(body))
  const type = string(response?.type)
  const statusCode = typeof response?.statusCode === 'number' ? response.statusCode : undefined
  if (!response || type === undefined || statusCode === undefined) return { status, text: wentWrong }
  const base = { status: statusCode, type }
  switch (type) {
    case 'application/vnd.microsoft.activity.message':
      return { ...base, text: string(response.value) ?? '' }
    case 'application/vnd.microsoft.card.adaptive':
      return { ...base, card: response.value }
    case 'application/vnd.microsoft.error':
    case 'application/vnd.microsoft.error.preconditionFailed':
      return { ...base, text: string(record(response.value)?.message) ?? wentWrong }
    case 'application/vnd.microsoft.activity.loginRequest': {
      const signIn = loginRequestIn(response.value)
      return signIn ? { ...base, text: signIn.text, signIn } : { ...base, text: wentWrong }
    }
    default:
      return { ...base, text: wentWrong }
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // A body that is no JSON is an answer that Teams cannot use; the caller says so to the presser.
    return undefined
  }
}
