import { wishAction } from './action.ts'

export const retry = wishAction('retry', ({ desk }, press) => desk.retry(press))
