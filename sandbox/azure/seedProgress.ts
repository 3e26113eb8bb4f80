import { resourceKey } from '../../src/link/resourceId.ts'
import {
  allDiffer,
  elementsOf,
  flagAt,
  guidAt,
  matching,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
  textAt,
  timeAt,
  wholeAt,
} from './jsonPlace.ts'
import { member } from './routes.ts'
import type { Link, Move, Operation, Step, World } from './state.ts'

/** What a seed file says is under way and yet to happen; such entries come from a saved world, seldom from a person. */

const idAt = (place: Place): string =>
  matching(place, /^\/subscriptions\/[^/]+\/.+[^/]$/i, 'a resource id, /subscriptions/…')
const keyAt = (place: Place): string => resourceKey(idAt(place))

const outcomes = ['Running', 'Succeeded', 'Failed', 'Canceled'] as const

export function readOperations(all: Place): Operation[] {
  const read = elementsOf(all).map((place) => {
    const of = membersOf(place, [
      'id',
      'kind',
      'instance',
      'sharedPrivateLinkResource',
      'startedAt',
      'endedAt',
      'status',
      'error',
    ])
    const operation: Operation = {
      id: guidAt(of.id),
      kind: oneOf(of.kind, ['put', 'delete']),
      instance: idAt(of.instance),
      link: or<string | undefined>(of.sharedPrivateLinkResource, keyAt, undefined),
      startedAt: timeAt(of.startedAt),
      endedAt: or<number | undefined>(of.endedAt, timeAt, undefined),
      status: oneOf(of.status, outcomes),
      ...(of.error.value !== undefined && { error: errorAt(of.error) }),
    }
    return { place, operation }
  })
  allDiffer(
    'id',
    read.map(({ place, operation }) => ({ place, key: operation.id })),
  )
  return read.map(({ operation }) => operation)
}

function errorAt(place: Place): { code: string; message: string } {
  const { code, message } = membersOf(place, ['code', 'message'])
  return { code: nameAt(code), message: textAt(message) }
}

export const readMoves = (all: Place): Move[] =>
  elementsOf(all).map((place) => {
    const of = membersOf(place, [
      'id',
      'resources',
      'from',
      'to',
      'validateOnly',
      'by',
      'status',
      'body',
      'endedAt',
    ])
    const move: Move = {
      id: guidAt(of.id),
      resources: elementsOf(of.resources).map(idAt),
      from: idAt(of.from),
      to: idAt(of.to),
      validateOnly: or(of.validateOnly, flagAt, false),
      by: nameAt(of.by),
      problem:
        of.status.value === undefined ? undefined : { status: wholeAt(of.status), body: of.body.value },
    }
    return of.endedAt.value === undefined ? move : { ...move, endedAt: timeAt(of.endedAt) }
  })

const statusAt = (place: Place): Link['status'] =>
  oneOf(place, ['Pending', 'Approved', 'Rejected', 'Disconnected', 'Timeout'])

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>
type Readers<K extends Step['kind']> = {
  [Part in Exclude<keyof StepOf<K>, 'kind'>]: (place: Place) => StepOf<K>[Part]
}
type Part = { [K in Step['kind']]: keyof Readers<K> }[Step['kind']]

/** How each part of a step is read; links, connections and instances stand there by their ids. */
const steps: { [K in Step['kind']]: Readers<K> } = {
  provisioned: { link: keyAt, operation: guidAt },
  appears: { link: keyAt, generation: wholeAt },
  settled: { connection: keyAt, edits: wholeAt },
  propagates: { link: keyAt, generation: wholeAt, status: statusAt },
  linkGone: { link: keyAt, operation: guidAt },
  connectionGone: { connection: keyAt, by: nameAt },
  instanceProvisioned: { instance: keyAt, operation: guidAt },
  moved: { move: guidAt },
  instanceGone: { instance: keyAt, operation: guidAt },
}

export function readAgenda(all: Place): World['agenda'][number][] {
  const kinds = Object.keys(steps) as Step['kind'][]
  const entries = elementsOf(all).map((place) => {
    const kind = oneOf({ ...place, path: `${place.path}.kind`, value: member(place.value, 'kind') }, kinds)
    const readers: Partial<Record<Part, (place: Place) => unknown>> = steps[kind]
    const parts = Object.keys(readers) as Part[]
    const of = membersOf(place, ['at', 'kind', ...parts])
    const step = Object.fromEntries(parts.map((part) => [part, readers[part]?.(of[part])]))
    return { at: timeAt(of.at), step: { kind, ...step } as Step }
  })
  return entries.sort((a, b) => a.at - b.at)
}
