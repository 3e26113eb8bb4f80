/** Reads what `node --cpu-prof` wrote: where a process spent its time. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

type Node = {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}
type Profile = {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}
export type Share = { readonly what: string; readonly part: number }
export type Spent = {
  /** Of the time, how much the process did not wait. */
  readonly busy: number
  /** The rest are parts of that: by function, by package or folder, and inclusive by function of the project's own. */
  readonly functions: readonly Share[]
  readonly areas: readonly Share[]
  readonly inclusive: readonly Share[]
}

const isIdle = (node: Node): boolean =>
  node.callFrame.functionName === '(idle)' || node.callFrame.functionName === '(program)'

/** A package, a folder of the project's, or Node itself. */
function areaOf({ callFrame: { url, functionName } }: Node): string {
  const module = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (module !== undefined) return module
  const own = /\/(src(?:\/\w+)?|dist)\/[^/]+$/.exec(url)?.[1]
  if (own !== undefined) return own
  if (url.startsWith('node:')) return url.replace(/^(node:(?:internal\/)?\w+).*/, '$1')
  return functionName.startsWith('(') ? functionName : 'native'
}

const placeOf = ({ callFrame: { functionName, url, lineNumber } }: Node): string =>
  `${functionName || '(anonymous)'} ${url.replace(/^file:\/\/.*?\/(src|node_modules)\//, '$1/')}:${lineNumber + 1}`

/** The profile of the process in this folder, from one time after its start to another. */
export async function readProfile(folder: string, fromMs: number, toMs: number): Promise<Spent> {
  const [file] = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'))
  if (file === undefined) throw new Error(`There is no profile in ${folder}`)
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const self = new Map<number, number>()
  let [at, idle, whole] = [0, 0, 0]
  for (const [index, id] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0
    at += delta
    if (at < fromMs * 1_000 || at > toMs * 1_000) continue
    const node = byId.get(id)
    whole += delta
    if (node && isIdle(node)) idle += delta
    else self.set(id, (self.get(id) ?? 0) + delta)
  }
  const busy = whole - idle
  const [functions, areas, inclusive] = [new Map(), new Map(), new Map()] as const
  const add = (to: Map<string, number>, what: string, us: number): void => {
    to.set(what, (to.get(what) ?? 0) + us)
  }
  for (const [id, us] of self) {
    const node = byId.get(id)
    if (!node) continue
    add(functions, placeOf(node), us)
    add(areas, areaOf(node), us)
    const seen = new Set<string>()
    for (let on: number | undefined = id; on !== undefined; on = parents.get(on)) {
      const one = byId.get(on)
      if (!one) break
      // Each function once, however often it calls itself.
      const place = placeOf(one)
      if (seen.has(place) || one.callFrame.url === '') continue
      seen.add(place)
      add(inclusive, place, us)
    }
  }
  const shares = (of: Map<string, number>): readonly Share[] =>
    [...of].map(([what, us]) => ({ what, part: us / busy })).sort((a, b) => b.part - a.part)
  return {
    busy: busy / whole,
    functions: shares(functions),
    areas: shares(areas),
    inclusive: shares(inclusive),
  }
}
