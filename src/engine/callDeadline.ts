/** How long one call to Azure or Teams may take: no longer than it should, nor than the process lives. */

const longestCallMs = 20_000

/** `ending` aborts when the process has to end whatever is under way. */
export const callDeadline = (ending: AbortSignal): AbortSignal =>
  AbortSignal.any([AbortSignal.timeout(longestCallMs), ending])
