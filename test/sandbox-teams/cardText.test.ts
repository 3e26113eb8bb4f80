import { describe, expect, test } from '@jest/globals'
import { cardText } from '../../sandbox/teams/cardText.ts'
import { approvalCard } from './cards.ts'

describe('a card as text', () => {
  test('reads from top to bottom, with buttons in brackets and hidden parts marked', () => {
    expect(cardText(approvalCard)).toEqual([
      'Approve a private connection to contoso-kv?',
      'Asked for: "a *literal* star"',
      '✓ Done  Requested',
      '(hidden) State: Pending',
      '(hidden) [Raw]',
      '[Approve…] [Reject…]',
      '[Show details] [View in Azure portal] [Ask again] [Not now (greyed out)]',
    ])
  })

  test('opens ShowCards below their buttons when asked', () => {
    const lines = cardText(approvalCard, { open: true })
    expect(lines.slice(5, 12)).toEqual([
      '[Approve…] [Reject…]',
      'Approve…',
      '  Approve connection 8d1f?',
      '  [Yes, approve]',
      'Reject…',
      '  Reason *: []',
      '  Tell: (•) The thread  ( ) Only the requester',
    ])
  })

  test('renders links by their label, dates in UTC, tables by row, and an unknown element by its fallback', () => {
    const body = [
      {
        type: 'TextBlock',
        text: '[View in Azure portal](https://portal.azure.com/#a(b)) by {{TIME(2026-11-30T14:02:00Z)}}',
      },
      { type: 'TextBlock', text: 'until {{DATE(2026-11-30T14:02:00Z, SHORT)}}' },
      {
        type: 'Table',
        rows: [
          {
            type: 'TableRow',
            cells: ['a', 'b'].map((text) => ({ type: 'TableCell', items: [{ type: 'TextBlock', text }] })),
          },
        ],
      },
      { type: 'Chart.Pie', fallback: { type: 'TextBlock', text: 'no chart' } },
      { type: 'Image', url: 'https://example.test/i.png', altText: 'a lock' },
    ]
    expect(cardText({ type: 'AdaptiveCard', version: '1.5', body })).toEqual([
      'View in Azure portal by 14:02',
      'until 2026-11-30',
      'a | b',
      'no chart',
      '(image: a lock)',
    ])
  })

  test('shows the fallback text of a card newer than Teams renders', () => {
    expect(cardText({ ...approvalCard, version: '1.6', fallbackText: 'Open Teams' })).toEqual(['Open Teams'])
  })

  test('is nothing for what is no card', () => {
    expect(cardText(undefined)).toEqual([])
    expect(cardText('text')).toEqual([])
  })
})
