/** What Teams takes for an answer to an invoke: a pressed button's, and a sign-in's. */
import { randomUUID } from 'node:crypto'
import type { ActionAnswer } from './actions/action.ts'
import { toPlain } from './prose.ts'
import type { Words } from './words/en.ts'

export type InvokeAnswer = { readonly status: number; readonly body: unknown }

/** How a client signs somebody in who decides as themselves. */
export type SignIn = {
  /** The application that the client's token is to be for, as its registration names it. */
  readonly uri: string
  /** Where to agree that it acts for people, for a client that cannot sign in by itself. */
  readonly page: string
}
/** Teams may ignore a sign-in without a connection's name. There is none: the token service has no part in it. */
const connectionName = 'vaultlink'

/** https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format */
export function pressAnswer(answer: ActionAnswer, words: Words, signIn: SignIn | undefined): InvokeAnswer {
  const of = (statusCode: number, type: string, value: unknown): InvokeAnswer => ({
    status: 200,
    body: { statusCode, type: `application/vnd.microsoft.${type}`, value },
  })
  switch (answer.is) {
    case 'card':
      return of(200, 'card.adaptive', answer.card)
    case 'message':
    case 'done':
      return of(200, 'activity.message', toPlain(answer.say))
    case 'signIn':
      return of(401, 'activity.loginRequest', signIn && oauthCard(signIn, words))
    case 'consent':
      return of(412, 'error.preconditionFailed', { code: '412', message: toPlain(answer.say) })
  }
}

/** A client that can gets a token for `uri` and presses again with it; any other shows the text and the button. */
const oauthCard = ({ uri, page }: SignIn, words: Words) => ({
  text: words.signIn.text,
  connectionName,
  tokenExchangeResource: { id: randomUUID(), uri },
  buttons: [{ type: 'signin', title: words.signIn.button, text: words.signIn.button, value: page }],
})

/** With a failure a client shows its page for signing in. */
export const signInAnswer = (
  { id, connection }: { readonly id: string; readonly connection: string },
  failureDetail?: string,
): InvokeAnswer => ({
  status: failureDetail === undefined ? 200 : 412,
  body: { id, connectionName: connection, ...(failureDetail !== undefined && { failureDetail }) },
})
