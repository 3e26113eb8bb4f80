/** Several bots on one PostgreSQL, some of them killed: everything is done once, and one at a time where Azure wants it so. */
import { expect, test } from '@jest/globals'
import { runFleet } from './fleet.ts'

const inFull = process.env.VAULTLINK_FIGURES === '1'
const plan = inFull
  ? { links: 300, instances: 4, kills: 8, withinMs: 1_100_000 }
  : { links: 40, instances: 3, kills: 2, withinMs: 150_000 }

test(
  `${plan.links} links by ${plan.instances} instances, ${plan.kills} of them killed`,
  async () => {
    const found = await runFleet(plan)
    console.log(
      `figure: ${plan.links} links between 20 SignalRs and 20 vaults by ${plan.instances} instances in ${found.seconds} s, ${found.killed} killed: ${found.notOnce.length} not done once, ${found.conflicts.length} writes in each other's way, ${found.repeated.length} replies repeated without a kill to explain it, ${found.explained} with; ${found.taken} links taken from an instance that was held up`,
    )
    expect(found).toMatchObject({ notOnce: [], conflicts: [], repeated: [], killed: plan.kills })
    expect(found.flaw).toBeUndefined()
  },
  plan.withinMs + 60_000,
)
