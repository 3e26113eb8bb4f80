// Plain JavaScript that any Node can read: says in one line that this Node is too old.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `Vaultlink needs Node 24.15 or newer; this is ${process.version}. Start it with npm start after npm ci.`,
  )
  process.exit(1)
}
