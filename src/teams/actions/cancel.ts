import { wishAction } from './action.ts'

export const cancel = wishAction('cancel', ({ desk }, press) => desk.cancel(press))
