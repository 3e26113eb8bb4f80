/** All buttons. An action is one file and one line here; a verb that is not here is nobody's. */
import { unique } from '../unique.ts'
import type { Action } from './action.ts'
import { approve } from './approve.ts'
import { cancel } from './cancel.ts'
import { link } from './link.ts'
import { reject, rejectConnection } from './reject.ts'
import { retry } from './retry.ts'
import { unlink } from './unlink.ts'

export const actions: ReadonlyMap<string, Action> = new Map(
  unique('verb', [approve, reject, rejectConnection, cancel, retry, unlink, link]).map((action) => [
    action.verb,
    action,
  ]),
)
