/** A message's text as people read it. The bot writes XML, so that other people's words cannot become markup. */

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

const mentions = (text: string): string => text.replace(/<at>([^<]*)<\/at>/g, '@$1')

/** `textFormat` as the activity has it; links are their titles with the address behind: `View in Azure portal <https://…>`. */
export function messageText(text: string, textFormat: string | undefined): string {
  if (textFormat !== 'xml') return mentions(text)
  return mentions(text)
    .replace(/<br\s*\/>/g, '\n')
    .replace(/<a href="([^"]*)">(.*?)<\/a>/g, '$2 &lt;$1&gt;')
    .replace(/<\/?[a-z]+>/g, '')
    .replace(/&(lt|gt|quot|apos|amp);/g, (whole, name: string) => entities[name] ?? whole)
}
