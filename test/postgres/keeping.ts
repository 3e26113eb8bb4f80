import type { ChildProcess } from 'node:child_process'

/** Between the beginning of a test run and its end. */
export const keeping: { child?: ChildProcess } = {}
