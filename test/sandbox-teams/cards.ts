/** Cards for trying the presses: what the tests need, in the shape of an approval. */
export const approvalCard = {
  type: 'AdaptiveCard',
  version: '1.5',
  body: [
    { type: 'TextBlock', text: 'Approve a private connection to **contoso-kv**?' },
    { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: 'Asked for: ' }, '"a *literal* star"'] },
    {
      type: 'ColumnSet',
      columns: [
        { type: 'Column', items: [{ type: 'TextBlock', text: '✓ Done' }] },
        { type: 'Column', items: [{ type: 'TextBlock', text: 'Requested' }] },
      ],
    },
    {
      type: 'Container',
      id: 'details',
      isVisible: false,
      items: [
        { type: 'FactSet', facts: [{ title: 'State', value: 'Pending' }] },
        {
          type: 'ActionSet',
          actions: [{ type: 'Action.OpenUrl', title: 'Raw', url: 'https://example.test/raw' }],
        },
      ],
    },
    {
      type: 'Container',
      items: [
        {
          type: 'ActionSet',
          actions: [
            {
              type: 'Action.ShowCard',
              title: 'Approve…',
              card: {
                type: 'AdaptiveCard',
                body: [{ type: 'TextBlock', text: 'Approve connection 8d1f?' }],
                actions: [
                  {
                    type: 'Action.Execute',
                    title: 'Yes, approve',
                    verb: 'approve',
                    data: { link: 'l-1' },
                    fallback: { type: 'Action.Submit', data: { link: 'l-1', verb: 'approve' } },
                  },
                ],
              },
            },
            {
              type: 'Action.ShowCard',
              title: 'Reject…',
              card: {
                type: 'AdaptiveCard',
                body: [
                  {
                    type: 'Input.Text',
                    id: 'reason',
                    label: 'Reason',
                    isRequired: true,
                    maxLength: 20,
                    regex: '^[a-z ]+$',
                    errorMessage: 'Say why',
                  },
                  {
                    type: 'Input.ChoiceSet',
                    id: 'tell',
                    label: 'Tell',
                    value: 'thread',
                    choices: [
                      { title: 'The thread', value: 'thread' },
                      { title: 'Only the requester', value: 'requester' },
                    ],
                  },
                ],
                actions: [
                  { type: 'Action.Execute', title: 'Yes, reject', verb: 'reject', data: { link: 'l-1' } },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
  actions: [
    { type: 'Action.ToggleVisibility', title: 'Show details', targetElements: ['details'] },
    { type: 'Action.OpenUrl', title: 'View in Azure portal', url: 'https://portal.azure.com/' },
    { type: 'Action.Submit', title: 'Ask again', data: { verb: 'again' } },
    { type: 'Action.Execute', title: 'Not now', verb: 'never', isEnabled: false },
  ],
}

export const textCard = (text: string) => ({
  type: 'AdaptiveCard',
  version: '1.5',
  body: [{ type: 'TextBlock', text, wrap: true }],
})
