/** A certificate authority made at each start, and a server's certificate from it: for clients that speak TLS alone. */
import { generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'

export type ServerCertificate = {
  /** The authority's certificate, for the client to trust. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const dayMs = 86_400_000
const authorityName = [{ name: 'commonName', value: 'Vaultlink sandbox CA' }]
const serverName = [{ name: 'commonName', value: 'localhost' }]

type Pair = {
  readonly key: string
  readonly private: forge.pki.rsa.PrivateKey
  readonly public: forge.pki.PublicKey
}

/** Node makes RSA keys in a tenth of the time that the library takes. */
async function makeKeys(): Promise<Pair> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return {
    key: privateKey,
    private: forge.pki.privateKeyFromPem(privateKey),
    public: forge.pki.publicKeyFromPem(publicKey),
  }
}

function begin(keys: Pair): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = keys.public
  // A positive number, as RFC 5280 wants it.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`
  certificate.validity.notBefore = new Date(Date.now() - dayMs)
  certificate.validity.notAfter = new Date(Date.now() + 30 * dayMs)
  return certificate
}

/** A fresh authority and a certificate of it for 127.0.0.1 and localhost, good for thirty days. */
export async function makeServerCertificate(): Promise<ServerCertificate> {
  const [authority, server] = await Promise.all([makeKeys(), makeKeys()])
  const root = begin(authority)
  root.setSubject(authorityName)
  root.setIssuer(authorityName)
  root.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  root.sign(authority.private, forge.md.sha256.create())

  const leaf = begin(server)
  leaf.setSubject(serverName)
  leaf.setIssuer(authorityName)
  leaf.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: root.generateSubjectKeyIdentifier().getBytes() },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ])
  leaf.sign(authority.private, forge.md.sha256.create())
  return { ca: forge.pki.certificateToPem(root), cert: forge.pki.certificateToPem(leaf), key: server.key }
}
