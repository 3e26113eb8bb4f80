import { type Action, inputOf, wishAction } from './action.ts'

/** As the card's input allows; a client may send anything. */
const longestReason = 300

const plain = wishAction('reject', ({ desk }, press, data) => {
  const reason = inputOf(data, 'reason')
  return desk.reject({ ...press, ...(reason && { reason }) })
})

export const reject: Action = {
  ...plain,
  async run(turn, data) {
    const reason = inputOf(data, 'reason') ?? ''
    return reason.length > longestReason
      ? { is: 'message', say: turn.words.replies.reasonTooLong(reason.length, longestReason) }
      : plain.run(turn, data)
  },
}
