/** Reads the one vault that `own` and `disown` name. */
import { resourceText, words } from '../typedText.ts'
import { after } from './command.ts'

export type VaultNamed = { readonly vault?: string; readonly extra?: string }

export function parseVault(name: string, text: string): VaultNamed | undefined {
  const rest = after(name, text)
  if (rest === undefined) return undefined
  const [first, second] = words(rest)
  return {
    ...(first?.text && { vault: resourceText(first.text) }),
    ...(second && { extra: second.text }),
  }
}
