/**
 * The moments at which one life of a request is killed, once each. Killed after an effect, the bot finds it done at its
 * next look, so what would have been written of it never is; the tests kill other lives there.
 */
export const crashMoments: readonly string[] = [
  'before post status',
  'after post status',
  'committed post status',
  'before put',
  'after put',
  'before post approval',
  'after post approval',
  'committed post approval',
  'committing decided',
  'before approve',
  'after approve',
  'before update approval',
  'after update approval',
  'before post thread/0',
  'committed post thread/0',
]
