import { wishAction } from './action.ts'

export const approve = wishAction('approve', ({ desk }, press) => desk.approve(press))
