import { inflateSync } from 'node:zlib'

export type Picture = {
  readonly width: number
  readonly height: number
  readonly at: (x: number, y: number) => readonly [red: number, green: number, blue: number, alpha: number]
}

const signature = '89504e470d0a1a0a'

/** Reads a PNG as Chromium writes it: 8 bits a channel, RGB or RGBA, not interlaced (https://www.w3.org/TR/png-3/). */
export function readPng(bytes: Buffer): Picture {
  if (bytes.subarray(0, 8).toString('hex') !== signature) throw new Error('not a PNG')
  const data: Buffer[] = []
  let [width, height, channels] = [0, 0, 0]
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = bytes.toString('latin1', at + 4, at + 8)
    const body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at))
    if (type === 'IDAT') data.push(body)
    if (type !== 'IHDR') continue
    width = body.readUInt32BE(0)
    height = body.readUInt32BE(4)
    const [depth, colour, , , interlaced] = body.subarray(8)
    if (depth !== 8 || interlaced !== 0 || (colour !== 2 && colour !== 6))
      throw new Error('an unread kind of PNG')
    channels = colour === 6 ? 4 : 3
  }
  const filtered = inflateSync(Buffer.concat(data))
  const row = width * channels
  const raw = Buffer.alloc(row * height)
  const rawAt = (x: number, y: number) => (x < 0 || y < 0 ? 0 : (raw[y * row + x] ?? 0))
  for (let y = 0; y < height; y++) {
    const filter = filtered[y * (row + 1)]
    for (let x = 0; x < row; x++) {
      const [left, up, corner] = [rawAt(x - channels, y), rawAt(x, y - 1), rawAt(x - channels, y - 1)]
      const guesses = [0, left, up, (left + up) >> 1, paeth(left, up, corner)]
      raw[y * row + x] = (filtered[y * (row + 1) + 1 + x] ?? 0) + (guesses[filter ?? 0] ?? 0)
    }
  }
  const channel = (x: number, y: number, c: number) => rawAt(x * channels + c, y)
  return {
    width,
    height,
    at: (x, y) => [
      channel(x, y, 0),
      channel(x, y, 1),
      channel(x, y, 2),
      channels === 4 ? channel(x, y, 3) : 255,
    ],
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}
