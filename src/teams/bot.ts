/** Takes in what Teams sends and sees that it is answered: a command, a button, an install. Decides nothing. */
import type { TurnContext } from 'botbuilder'
import type { Desk, KnownConversation, Log, Person, Store } from '../engine/ports.ts'
import type { UsualTimes } from '../link/views.ts'
import { type ActionAnswer, isAsMade } from './actions/action.ts'
import { actions } from './actions/index.ts'
import { channelOf, fieldsOf, type Incoming, textOf } from './activity.ts'
import { type Drawing, type Rendered, welcomeCard } from './cards.ts'
import { understand } from './commands/index.ts'
import { TurnTooLong, troubleOf, within } from './errors.ts'
import { type InvokeAnswer, pressAnswer, type SignIn, signInAnswer } from './invokeAnswer.ts'
import { createKept } from './kept.ts'
import { createMembership, type Outsider } from './membership.ts'
import { type Prose, toPlain, toXml } from './prose.ts'
import type { Bot } from './server.ts'
import type { Scope, Turn } from './turn.ts'
import { evened } from './typedText.ts'
import type { Words } from './words/en.ts'

export type BotOptions = {
  readonly desk: Desk
  /** What is learned of conversations. */
  readonly conversations: Pick<Store, 'meet' | 'leave' | 'welcome'>
  readonly words: Words
  readonly usual: UsualTimes
  readonly drawing: Drawing
  /** Present where owners decide as themselves. */
  readonly signIn?: SignIn
  readonly log: Log
  /** Who may speak to it beside the organisation's own people. */
  readonly admits?: readonly Outsider[]
  readonly now?: () => number
  /** How long a turn may take; what it reads of Azure has a shorter deadline, at the desk. */
  readonly deadlineMs?: number
}

/**
 * A turn is no news of its conversation. Whoever takes the bot away and installs it again sends the news of that first,
 * which is always written.
 */
const met = { keptMs: 60_000, most: 10_000 }

const scopes: Record<Incoming['kind'], Scope> = { channel: 'team', group: 'groupChat', personal: 'personal' }

/** The bot that the server hands its turns to. */
export function createBot(options: BotOptions): Bot {
  const { desk, conversations, words, usual, drawing, signIn, deadlineMs = 4_000 } = options
  const now = options.now ?? Date.now
  const memberOf = createMembership(now, options.admits ?? [])
  const lately = createKept<string>(now, met)

  return async (context, incoming, correlation) => {
    const log: Log = (level, event, fields, error) =>
      options.log(level, event, { ...fields, correlation }, error)
    const { what } = incoming
    const outlet = outletOf(context, log)
    /** Whether anything may have been written for whoever waits: then it would be false to say that nothing was. */
    let asked = false
    const noting =
      <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        const answer = await work(...args)
        asked = true
        return answer
      }
    /** To whoever pressed. A card that was pressed by the older way is redrawn for all by the worker. */
    const answerPress = async (answered: ActionAnswer, how: 'invoke' | 'submit'): Promise<void> => {
      if (how === 'invoke') await outlet.answerInvoke(pressAnswer(answered, words, signIn))
      else if (answered.is === 'signIn') await outlet.say(words.signIn.oldClient)
      else if (answered.is !== 'card') await outlet.say(answered.say)
    }
    const answer = async (work: () => Promise<void>): Promise<void> => {
      try {
        await within(deadlineMs, logged(work(), outlet, log), () => new TurnTooLong())
      } catch (error) {
        const trouble = troubleOf(error)
        log(trouble === 'broken' ? 'error' : 'warn', `turn.${trouble}`, {}, error)
        const sentence = {
          unanswered: words.azureSlow,
          teamsSilent: words.replies.teamsSlow,
          tooLong: words.replies.tooLong,
          storeAway: asked ? words.replies.storeAwayAfter : words.replies.storeAway,
          storeInDoubt: words.replies.storeInDoubt,
          broken: words.replies.broken,
        }
        await outlet.finally(() =>
          what.is === 'signsIn'
            ? outlet.answerInvoke(signInAnswer(what, toPlain(sentence[trouble])))
            : what.is === 'pressed'
              ? answerPress({ is: 'message', say: sentence[trouble] }, what.how)
              : outlet.say(sentence[trouble]),
        )
      } finally {
        outlet.close()
      }
    }

    switch (what.is) {
      case 'message':
        return answer(async () => {
          const turn = await begin()
          if ('refused' in turn) return outlet.say(turn.refused)
          const text = evened(what.text)
          if (text === undefined) return outlet.say(words.replies.notUnderstoodLong)
          const understood = understand(text)
          if (understood.is === 'unknown') {
            log('info', 'command.unknown', { near: understood.near })
            const { near, plain } = words.notUnderstood
            return outlet.say(understood.near === undefined ? plain : near(understood.near))
          }
          log('info', 'command', { command: understood.name })
          await understood.run(turn)
        })
      case 'pressed':
        return answer(async () => {
          const turn = await begin(what.token)
          const pressed = fieldsOf(what.value)
          const data = what.how === 'invoke' ? fieldsOf(pressed.data) : pressed
          const named = actions.get(textOf(pressed.verb) ?? '')
          const action = named && isAsMade(named, data) ? named : undefined
          log('info', 'action', { verb: action?.verb ?? 'unknown', how: what.how })
          const say = (say: Prose): ActionAnswer => ({ is: 'message', say })
          if ('refused' in turn) return answerPress(say(turn.refused), what.how)
          const answered = action ? await action.run(turn, data) : say(words.replies.notACardOfMine)
          if (answered.is === 'done' && what.card !== undefined) await retire(turn, what.card, answered.say)
          await answerPress(answered, what.how)
        })
      case 'signsIn':
        if (!signIn) return log('info', 'activity.ignored', { type: what.how })
        return answer(async () => {
          const turn = await begin()
          const tried =
            !('refused' in turn) && what.token !== undefined
              ? await desk.tries({ token: what.token, by: turn.by })
              : undefined
          // Nothing is kept of it: with the consent that was given, the next press signs in by itself.
          const does = what.how === 'verifyState' || tried === 'works'
          log('info', 'signsIn', { how: what.how, does })
          await outlet.answerInvoke(
            does ? signInAnswer(what) : signInAnswer(what, toPlain(words.signIn.consent)),
          )
        })
      case 'installed':
        return quietly('installed', async () => {
          await meet(known())
          if (!(await conversations.welcome(channelOf(incoming.conversation)))) return
          const installedBy = incoming.from.name ?? (await installerOf())
          const inTeam = incoming.kind === 'channel'
          await outlet.show(await welcomeCard(words, { inTeam, ...(installedBy && { installedBy }) }))
        })
      case 'removed':
        return quietly('removed', () => conversations.leave(channelOf(incoming.conversation)))
      case 'channelNamed':
        return quietly('channelNamed', async () => {
          const { channel, kind, team, serviceUrl } = incoming
          if (!channel) return
          const { id: conversation, name } = channel
          await meet({
            conversation,
            serviceUrl,
            kind,
            ...(team && { team }),
            ...(name && { name }),
          })
        })
      case 'channelDeleted':
        return quietly('channelDeleted', async () => {
          if (incoming.channel) await conversations.leave(incoming.channel.id)
        })
      case 'other':
        log('info', 'activity.ignored', { type: what.type })
        return
    }

    /** Learns where this was said and who said it; or what to answer somebody who is not of the organisation. */
    async function begin(token?: string): Promise<Turn | { readonly refused: Prose }> {
      const { objectId, id: teamsId, name } = incoming.from
      const member = await memberOf(context, incoming)
      if (member.is !== 'member' || objectId === undefined) {
        const who = member.is === 'outsider' ? member.who : 'stranger'
        log('warn', 'turn.stranger', { who })
        return { refused: words.replies.outsider[who] }
      }
      await meetOnce()
      const tenant = member.tenant ?? incoming.tenants[0] ?? ''
      return {
        ...turnOf({ objectId, teamsId, name: name ?? member.name ?? words.somebody, tenant }),
        ...(token !== undefined && { token }),
      }
    }
    function known(): KnownConversation {
      const { kind, team, serviceUrl, channel } = incoming
      return {
        conversation: channelOf(incoming.conversation),
        serviceUrl,
        kind,
        ...(team && { team }),
        ...(channel?.name && { name: channel.name }),
      }
    }
    async function meet(conversation: KnownConversation): Promise<void> {
      await conversations.meet(conversation)
      lately.set(conversation.conversation, JSON.stringify(conversation))
    }
    async function meetOnce(): Promise<void> {
      const conversation = known()
      if (lately.get(conversation.conversation) !== JSON.stringify(conversation)) await meet(conversation)
    }
    /** Install events name their sender by id alone. */
    async function installerOf(): Promise<string | undefined> {
      try {
        const member = await memberOf(context, incoming)
        return member.is === 'member' ? member.name : undefined
      } catch (error) {
        log('warn', 'installer.unknown', {}, error)
        return undefined
      }
    }
    function turnOf(by: Person): Turn {
      const { conversation, serviceUrl, kind, team } = incoming
      return {
        by,
        place: { conversation, serviceUrl, kind },
        scope: scopes[kind],
        ...(team && { team }),
        channel: channelOf(conversation),
        ...(what.is === 'pressed' && what.card !== undefined && { card: what.card }),
        desk: {
          ...desk,
          link: noting(desk.link),
          approve: noting(desk.approve),
          reject: noting(desk.reject),
          rejectConnection: noting(desk.rejectConnection),
          cancel: noting(desk.cancel),
          unlink: noting(desk.unlink),
          retry: noting(desk.retry),
          own: noting(desk.own),
          disown: noting(desk.disown),
        },
        words,
        usual,
        drawing,
        say: outlet.say,
        show: outlet.show,
      }
    }
    /** A form or a question is used up once answered. What stands for a link is left alone, whatever a client names. */
    async function retire(turn: Turn, card: string, say: Prose): Promise<void> {
      try {
        const { conversation } = turn.place
        if (!(await desk.isPost({ conversation, activity: card }))) await outlet.replace(card, say)
      } catch (error) {
        // What was asked stands; only its form is still there.
        log('warn', 'form.notRetired', {}, error)
      }
    }
    /** Nobody waits for an answer: what fails is in the log. */
    async function quietly(event: string, work: () => Promise<void>): Promise<void> {
      try {
        await within(deadlineMs, work(), () => new TurnTooLong())
        log('info', `conversation.${event}`)
      } catch (error) {
        log('error', `conversation.${event}.failed`, {}, error)
      } finally {
        outlet.close()
      }
    }
  }
}

/** What a turn says, until it is over: a word that came later would follow one that says otherwise. */
function outletOf(context: TurnContext, log: Log) {
  let open = true
  const send = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    if (open) await work()
    else log('warn', 'turn.late', { what })
  }
  const say = (prose: Prose): Promise<void> =>
    send('text', () =>
      context.sendActivity({
        type: 'message',
        text: toXml(prose),
        textFormat: 'xml',
        summary: toPlain(prose),
      }),
    )
  const show = ({ card, text, summary }: Rendered): Promise<void> =>
    card === undefined
      ? say(text ?? summary)
      : send('card', () =>
          context.sendActivity({
            type: 'message',
            summary,
            attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: card }],
          }),
        )
  return {
    say,
    show,
    answerInvoke: (value: InvokeAnswer): Promise<void> =>
      send('answer', () => context.sendActivity({ type: 'invokeResponse', value })),
    replace: (card: string, prose: Prose): Promise<void> =>
      send('update', () =>
        context.updateActivity({ type: 'message', id: card, text: toXml(prose), textFormat: 'xml' }),
      ),
    isOpen: () => open,
    /** What is said of an error, after which nothing more is said. */
    async finally(last: () => Promise<void>): Promise<void> {
      try {
        await last()
      } catch (error) {
        log('error', 'turn.unsaid', {}, error)
      }
    },
    close(): void {
      open = false
    },
  }
}

/** The same work; when it fails after its turn was given up, the log still hears of it. */
async function logged(work: Promise<void>, outlet: { isOpen(): boolean }, log: Log): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!outlet.isOpen()) log('error', 'turn.failedLate', {}, error)
    throw error
  }
}
