/**
 * The bot is killed while an owner's decision is on its way to Azure as themselves. It cannot send it again: what arrived
 * goes on by itself, and for what did not the owner is asked to press again. Nothing takes effect twice.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approves,
  closed,
  pending,
  type Request,
  rejects,
  startStage,
  unlinked,
  watch,
  within,
} from './stage.ts'

/** What is left of it: nothing, an intent whose call never went out, or a call that Azure has taken. */
type Left = 'nothing' | 'intent' | 'taken'
const moments: readonly { at: string; left: Left }[] = [
  { at: 'committing intended VERDICT', left: 'nothing' },
  { at: 'before VERDICT', left: 'intent' },
  { at: 'after VERDICT', left: 'taken' },
  { at: 'committing done VERDICT', left: 'taken' },
  { at: 'committed VERDICT', left: 'taken' },
]

describe('killed', () => {
  let world: World
  beforeAll(async () => {
    world = await startStage({
      asApprover: { consent: 'forEverybody' },
      // Half a second is long enough for a local Azure to show what was written.
      environment: { VAULTLINK_SETTLE_SECONDS: '0.5' },
    })
  })
  afterAll(async () => {
    expect(await closed(world)).toEqual(allWell)
  })

  /** Presses, sees the bot die of it, and starts it again. */
  async function killed(at: string, press: () => Promise<Answer>): Promise<Answer> {
    await world.restart({ environment: { VAULTLINK_CRASH_AT: at } })
    const dying = world.bot()
    const answer = await press()
    expect(await dying.ended).toMatchObject({ signal: 'SIGKILL' })
    expect(dying.log.at(-1)).toMatchObject({ event: 'crash', moment: at })
    expect(answer).toMatchObject({ status: 502, text: 'Unable to reach app. Please try again.' })
    await world.restart({ kill: true })
    return answer
  }
  const decisionsIn = (happened: ReturnType<typeof watch>) =>
    happened.effects().filter((what) => what === 'connectionApproved' || what === 'connectionRejected')
  const byOwner = () =>
    world.azure.events.flatMap((event) =>
      event.kind === 'effect' && /^connection(Approved|Rejected)$/.test(event.what) ? [event.by] : [],
    )

  /** After the restart: whatever people have to do so that it comes to its end. */
  async function finish(
    { approval }: { approval: Message },
    { left, lost, again }: { left: Left; lost: Answer; again: () => Promise<Answer> },
    sentence: string,
  ): Promise<void> {
    if (left === 'taken') return
    if (left === 'nothing') {
      // Teams delivers again what nobody answered.
      const answer = await world.teams.redeliver(lost.activityId ?? '', { sameId: true })
      expect(answer.card).toBeDefined()
      return
    }
    const reply = await world.teams.thread(approval).shows(sentence, { within })
    expect(reply.mentions).toEqual(['owner'])
    await world.teams
      .channel('vault-owners')
      .shows(/^Approve a private[\s\S]*Please decide again/, { within })
    expect((await again()).card).toBeDefined()
  }

  test.each(moments)('approving: $at', async ({ at, left }) => {
    const happened = watch(world)
    const request: Request & { approval: Message } = await pending(world)
    const press = () => approves(world, request.approval)
    const lost = await killed(at.replace('VERDICT', 'approve'), press)
    await finish(request, { left, lost, again: press }, 'Your approval did not reach Azure')
    await request.thread.shows(/can now reach .*Approved by Noor Haddad/, { within })
    await world.teams.thread(request.approval).shows('Working since', { within })
    expect(decisionsIn(happened)).toEqual(['connectionApproved'])
    expect(happened.told().filter(({ text }) => text.includes('did not reach'))).toHaveLength(
      left === 'intent' ? 1 : 0,
    )
    await unlinked(world, request)
  })

  test.each(moments)('rejecting: $at', async ({ at, left }) => {
    const happened = watch(world)
    const request = await pending(world)
    const press = () => rejects(world, request.approval, 'Use contoso-certs instead')
    const lost = await killed(at.replace('VERDICT', 'reject'), press)
    await finish(request, { left, lost, again: press }, 'Your rejection did not reach Azure')
    const sentence = 'Rejected by Noor Haddad: "Use contoso-certs instead"'
    await request.thread.shows(sentence, { within })
    await world.teams.thread(request.approval).shows(sentence, { within })
    expect(decisionsIn(happened)).toEqual(['connectionRejected'])
    expect(world.azure.links()).toEqual([])
  })

  test('and each time it was the owner whom Azure saw', () => {
    expect(new Set(byOwner())).toEqual(new Set([people.owner.key]))
  })
})
