/** Bodies that no well-meaning sender sends, as bytes. Some are JSON all the same; none may break anything. */
import type { Activity } from '../../sandbox/teams/face.ts'

export type Body = { readonly of: string; readonly name: string; readonly bytes: Buffer }

type Named = readonly (readonly [name: string, bytes: Buffer | string])[]

/** Made of two activities that are accepted as they are: a message and a button. */
export function malformedBodies(message: Activity, button: Activity): readonly Body[] {
  const whole = JSON.stringify(message)
  const kinds: Readonly<Record<string, Named>> = {
    'cut off': spread(whole.length, 40).map((at) => [`after ${at}`, whole.slice(0, at)]),
    'a byte missing': positionsOf(whole, /["{}[\]:,]/g, 30).map((at) => [
      `${whole[at]} at ${at}`,
      whole.slice(0, at) + whole.slice(at + 1),
    ]),
    'a byte too many': positionsOf(whole, /["{}[\]:,]/g, 25).flatMap((at) =>
      [...',}\\"']
        .slice(0, 1 + (at % 4))
        .map((more) => [`${more} at ${at}`, whole.slice(0, at) + more + whole.slice(at)] as const),
    ),
    'not an object': [
      ...[
        '',
        ' ',
        '\n',
        '\t\r\n ',
        'null',
        'true',
        'false',
        '0',
        '-1',
        '1e5',
        '""',
        '"x"',
        '[]',
        '[{}]',
        '[[]]',
      ],
      `[${whole}]`,
      JSON.stringify(whole),
      `${whole}${whole}`,
      `${whole},${whole}`,
      `${whole}\n${whole}`,
      `${whole}x`,
      `x${whole}`,
      `(${whole})`,
      `${whole};`,
      `/**/${whole}`,
      `//\n${whole}`,
      `${whole}#`,
      `)]}',\n${whole}`,
      'undefined',
      'NaN',
      '<activity/>',
      'type=message',
      '%7B%7D',
    ].map((text) => [text.slice(0, 30), text]),
    'not quite JSON': [
      ...[
        '{,}',
        '{"a"}',
        '{"a":}',
        '{:1}',
        '{"a":1,}',
        '{"a" 1}',
        '{"a":1 "b":2}',
        '{a:1}',
        "{'a':1}",
        '{"a":1,,"b":2}',
      ],
      ...[
        '{"a":[1,]}',
        '{"a":[,1]}',
        '{"a":[1 2]}',
        '{"a":[1}',
        '{"a":{]}',
        '{"a":1]',
        '{"a":/*x*/1}',
        '{"a":1}//x',
      ],
      ...[
        '{"a":tru}',
        '{"a":True}',
        '{"a":nul}',
        '{"a":NULL}',
        '{"a":undefined}',
        '{null:1}',
        '{1:1}',
        '{[]:1}',
        '{"a"::1}',
      ],
    ].map((text) => [text, text]),
    numbers: [
      ...[
        '01',
        '1.',
        '.5',
        '+1',
        '1e',
        '1e+',
        '--1',
        '-',
        '0x10',
        '1_000',
        '1,5',
        'Infinity',
        '-Infinity',
        'NaN',
        '0b1',
        '1f',
        '٣',
        '1.2.3',
        '1e1.5',
      ],
      ...['1e400', '-1e400', '1e-400', '-0', '9007199254740993', '123456789012345678901234567890', '1E5'],
      '1'.repeat(100_000),
      `0.${'1'.repeat(100_000)}`,
      `1e${'9'.repeat(10_000)}`,
    ].flatMap((number) => [
      [`${number.slice(0, 30)} for the id`, edited(message, 'id', number)] as const,
      [
        `${number.slice(0, 30)} for the value`,
        edited(button, 'value', `{"action":{"verb":${number}}}`),
      ] as const,
    ]),
    texts: [
      ...[
        '"\\x"',
        '"\\u12"',
        '"\\u{12}"',
        '"\\uD8"',
        '"\\"',
        '"\\',
        '"a\nb"',
        '"a\tb"',
        '"\u0000"',
        '"\u001f"',
        '"x',
        "'x'",
        '`x`',
        '"\\a"',
        '"\\0"',
        '"\\U0041"',
      ],
      ...[
        '"\\ud800"',
        '"\\udc00"',
        '"\\udc00\\ud800"',
        '"\\ud800x"',
        '"\\u0000"',
        '"\\uffff"',
        '"\\u202e"',
        '"\\ufeff"',
      ],
      JSON.stringify('\u0301'.repeat(20_000)),
      JSON.stringify('x'.repeat(200_000)),
      JSON.stringify('\u{1f600}'.repeat(40_000)),
    ].flatMap((text) => [
      [`${text.slice(0, 20)} as what is said`, edited(message, 'text', text)] as const,
      [`${text.slice(0, 20)} as the id`, edited(message, 'id', text)] as const,
      [
        `${text.slice(0, 20)} as the conversation`,
        edited(message, 'conversation', `{"id":${text},"conversationType":"channel"}`),
      ] as const,
    ]),
    encodings: [
      ['UTF-8 with its mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(whole)])],
      ['two marks', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]), Buffer.from(whole)])],
      ['a mark at the end', `${whole}\ufeff`],
      ['UTF-16, little', Buffer.from(whole, 'utf16le')],
      [
        'UTF-16, little, with its mark',
        Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(whole, 'utf16le')]),
      ],
      [
        'UTF-16, big, with its mark',
        Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(whole, 'utf16le').swap16()]),
      ],
      ['UTF-32', Buffer.from([...whole].flatMap((letter) => [letter.charCodeAt(0) & 255, 0, 0, 0]))],
      ['Latin-1', Buffer.from(edited(message, 'text', '"h\u00e9llo"'), 'latin1')],
      ...(
        [
          ['a lone continuation', [0x80]],
          ['an overlong slash', [0xc0, 0xaf]],
          ['an overlong zero', [0xc0, 0x80]],
          ['a surrogate', [0xed, 0xa0, 0x80]],
          ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
          ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
          ['cut short', [0xe2, 0x82]],
          ['0xff', [0xff]],
        ] as const
      ).flatMap(([name, bytes]) => [
        [`${name} in what is said`, spliced(edited(message, 'text', '"@@"'), '@@', bytes)] as const,
        [`${name} in a name`, spliced(edited(message, '@@', '1'), '@@', bytes)] as const,
        [`${name} at the end`, Buffer.concat([Buffer.from(whole), Buffer.from(bytes)])] as const,
      ]),
      ['zeros', Buffer.alloc(1_000)],
      ['a gzip', Buffer.from('H4sIAAAAAAAAA6tWKqksSFWyUlDKTS0uTkxPVaoFAAAA//8=', 'base64')],
    ],
    nesting: [10, 1_000, 30_000, 120_000].flatMap((depth) => [
      [`${depth} lists`, '['.repeat(depth) + ']'.repeat(depth)] as const,
      [`${depth} lists, open`, '['.repeat(depth)] as const,
      [
        `${depth} lists in the value`,
        edited(button, 'value', '['.repeat(depth) + ']'.repeat(depth)),
      ] as const,
      [
        `${depth} lists in the channel data`,
        edited(message, 'channelData', `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`),
      ] as const,
      [
        `${depth} lists as entities`,
        edited(message, 'entities', '['.repeat(depth) + ']'.repeat(depth)),
      ] as const,
      [`${depth / 5} objects`, `${'{"a":'.repeat(depth / 5)}1${'}'.repeat(depth / 5)}`] as const,
      [
        `${depth / 5} objects in the value`,
        edited(button, 'value', `${'{"a":'.repeat(depth / 5)}1${'}'.repeat(depth / 5)}`),
      ] as const,
      [
        `${depth / 5} actions in one another`,
        edited(button, 'value', `${'{"action":'.repeat(depth / 10)}1${'}'.repeat(depth / 10)}`),
      ] as const,
    ]),
    'the same name twice': Object.keys(message).flatMap((name) => [
      [`${name}, then null`, `${whole.slice(0, -1)},"${name}":null}`] as const,
      [`${name}, then a list`, `${whole.slice(0, -1)},"${name}":[]}`] as const,
      [`${name}, first an object`, `{"${name}":{"id":{}},${whole.slice(1)}`] as const,
    ]),
    'names of the language': [
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'valueOf',
      'toJSON',
      'then',
      'hasOwnProperty',
      '__defineGetter__',
      'length',
      '',
    ].flatMap(
      (name) =>
        [
          [`${name} for an object`, `${whole.slice(0, -1)},"${name}":{"type":"invoke","isAdmin":true}}`],
          [`${name} for null`, `${whole.slice(0, -1)},"${name}":null}`],
          [
            `${name} in the sender`,
            edited(
              message,
              'from',
              `{${JSON.stringify(message.from).slice(1, -1)},"${name}":{"role":"bot"}}`,
            ),
          ],
          [
            `${name} in the channel data`,
            edited(
              message,
              'channelData',
              `{${JSON.stringify(message.channelData).slice(1, -1)},"${name}":{"team":1}}`,
            ),
          ],
          [
            `${name} as the verb`,
            edited(button, 'value', `{"action":{"verb":"${name}","data":{"${name}":1}}}`),
          ],
        ] as const,
    ),
    'other kinds of values': Object.keys(button)
      .concat(['text', 'deliveryMode', 'callerId', 'membersAdded', 'action'])
      .flatMap((name) =>
        (['null', '0', 'true', '""', '[]', '{}', '[[]]', '[null]', '"expectReplies"'] as const).map(
          (value) =>
            [`${value} for ${name}`, edited(name in button ? button : message, name, value)] as const,
        ),
      ),
    'much of it': [
      ['50,000 names', `{${Array.from({ length: 20_000 }, (_, n) => `"n${n}":1`).join(',')}}`],
      [
        '50,000 names beside',
        `${whole.slice(0, -1)},${Array.from({ length: 20_000 }, (_, n) => `"n${n}":1`).join(',')}}`,
      ],
      [
        '50,000 mentions',
        edited(
          message,
          'entities',
          `[${Array.from({ length: 10_000 }, () => '{"type":"mention"}').join(',')}]`,
        ),
      ],
      [
        'mentions of everything',
        edited(
          message,
          'entities',
          `[${Array.from({ length: 2_000 }, () => '{"type":"mention","text":"a","mentioned":{"id":"x"}}').join(',')}]`,
        ),
      ],
      ['100,000 spaces', `${' '.repeat(100_000)}${whole}`],
      ['a long name', `{"${'x'.repeat(200_000)}":1}`],
      ['exactly 256 KB', `${' '.repeat(262_144 - Buffer.byteLength(whole))}${whole}`],
      ['a byte more', `${' '.repeat(262_145 - Buffer.byteLength(whole))}${whole}`],
    ],
  }
  return Object.entries(kinds).flatMap(([of, bodies]) =>
    bodies.map(([name, bytes]) => ({ of, name, bytes: Buffer.from(bytes) })),
  )
}

/** The activity with the JSON text of one field replaced, whether or not it is JSON. */
function edited(activity: Activity, name: string, json: string): string {
  const { [name]: _, ...rest } = activity
  return `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:${json}}`
}

function spliced(text: string, mark: string, bytes: readonly number[]): Buffer {
  const at = text.indexOf(mark)
  return Buffer.concat([
    Buffer.from(text.slice(0, at)),
    Buffer.from(bytes),
    Buffer.from(text.slice(at + mark.length)),
  ])
}

const spread = (length: number, times: number): readonly number[] =>
  Array.from({ length: times }, (_, n) => 1 + Math.floor((n * (length - 1)) / times))

function positionsOf(text: string, what: RegExp, most: number): readonly number[] {
  const all = [...text.matchAll(what)].map(({ index }) => index)
  return spread(all.length, Math.min(most, all.length)).flatMap((at) => all[at - 1] ?? [])
}
