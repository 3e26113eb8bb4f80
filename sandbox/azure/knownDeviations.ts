import { member } from './routes.ts'

/** Where the local Azure leaves the OpenAPI files on purpose, because Azure itself is reported to. */
export const knownDeviations: readonly {
  readonly code: string
  readonly problem: string
  readonly why: string
}[] = [
  {
    code: 'MissingSubscriptionRegistration',
    problem: 'body/error/details is not in the schema',
    why: "ARM's own refusal, word for word as reported, which Key Vault's file does not know",
  },
]

/** Why this problem of a reply is none, if it is known. */
export const excuseOf = (problem: string, body: unknown): string | undefined =>
  knownDeviations.find(
    (known) => known.problem === problem && known.code === member(member(body, 'error'), 'code'),
  )?.why
