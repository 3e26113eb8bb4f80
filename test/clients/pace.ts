/** Azure's minutes in seconds, so that every client polls a few times and nobody waits long. */
export const pace = {
  provisioningMs: 1_500,
  appearsMs: 200,
  settlesMs: 1_500,
  propagatesMs: 1_500,
  deletingMs: 1_000,
  purgingMs: 1_000,
  registeringMs: 500,
  throttle: false,
}
