/** Programs of one line that run inside the namespaces of a trial: what they need stands in their text. */

export interface Attempt {
  readonly from: string
  readonly to: string
  readonly port: number
}

/** Long enough for a busy machine; a packet that is dropped gets no answer at all. */
const patienceMs = 1500

/** Listens at all addresses, says `open`, and ends each connection. It ends by itself after two minutes. */
export function listenerProgram(port: number): string {
  return `setTimeout(() => process.exit(), 120000)
require('node:net').createServer((s) => s.on('error', () => {}).end()).listen(${port}, () => console.log('open'))`
}

/** Connects once for each attempt and prints a JSON list of whether it came about. */
export function connectOnce(attempts: readonly Attempt[]): string {
  return `Promise.all(${JSON.stringify(attempts)}.map(({ from, to, port }) => new Promise((resolve) => {
  const socket = require('node:net').connect({ host: to, port, localAddress: from })
  const end = (answer) => { socket.destroy(); resolve(answer) }
  socket.on('connect', () => end(true)).on('error', () => end(false))
  setTimeout(() => end(false), ${patienceMs})
}))).then((all) => console.log(JSON.stringify(all)))`
}
