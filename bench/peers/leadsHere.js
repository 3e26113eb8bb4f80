/**
 * Loaded before a peer: the names of Microsoft's identity servers lead to the local one, as a line in /etc/hosts would,
 * since not every SDK lets them be named. The peers' own settings stay stock, and every check of theirs stays on.
 */
import tls from 'node:tls'

const names = ['login.botframework.com', 'login.microsoftonline.com']
const port = Number(process.env.BENCH_IDENTITY_PORT)
const connect = tls.connect

tls.connect = (options, ...rest) =>
  names.includes(options.host) || names.includes(options.servername)
    ? connect({ ...options, host: '127.0.0.1', port, servername: 'localhost' }, ...rest)
    : connect(options, ...rest)
