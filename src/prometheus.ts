/**
 * What is counted, as Prometheus reads it (prometheus.io/docs/instrumenting/exposition_formats). The client library
 * costs 9 MB and does mostly what is not asked for here.
 */
type Labels = Readonly<Record<string, string>>
type Sample = { readonly labels?: Labels; readonly value: number }
export type Metric = {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  samples(): readonly Sample[] | Promise<readonly Sample[]>
}

/** A number that only grows, for each set of labels by itself: of labels there must be few. */
export function createCounter(
  name: string,
  help: string,
): Metric & { add(labels?: Labels, by?: number): void } {
  const counts = new Map<string, { readonly labels: Labels; value: number }>()
  return {
    name,
    help,
    type: 'counter',
    samples: () => [...counts.values()],
    add(labels = {}, by = 1) {
      const key = JSON.stringify(labels)
      const count = counts.get(key) ?? { labels, value: 0 }
      counts.set(key, count)
      count.value += by
    },
  }
}

/** All of them as text. A metric that cannot be read is left out, and the others stand. */
export async function expose(metrics: readonly Metric[]): Promise<string> {
  const texts = await Promise.all(
    metrics.map(async ({ name, help, type, samples }) => {
      try {
        const lines = (await samples()).map(
          ({ labels = {}, value }) => `${name}${written(labels)} ${value}\n`,
        )
        return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
      } catch {
        // The store is away, say: its absence from the page is what an alert looks for.
        return ''
      }
    }),
  )
  return texts.join('')
}

const written = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
