import { type Action, inputOf, wishAction } from './action.ts'

/** As the card's input allows; a client may send anything. */
const longestReason = 300

const withReason = (verb: 'reject' | 'rejectConnection'): Action => {
  const plain = wishAction(
    verb,
    ({ desk }, press, data) => {
      const reason = inputOf(data, 'reason')
      return desk[verb]({ ...press, ...(reason && { reason }) })
    },
    ['reason'],
  )
  return {
    ...plain,
    async run(turn, data) {
      const reason = inputOf(data, 'reason') ?? ''
      return reason.length > longestReason
        ? { is: 'message', say: turn.words.replies.reasonTooLong(reason.length, longestReason) }
        : plain.run(turn, data)
    },
  }
}

export const reject = withReason('reject')
/** On the card of a link whose approval SignalR does not follow. */
export const rejectConnection = withReason('rejectConnection')
