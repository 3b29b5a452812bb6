/**
 * A program of its own, to be run in the namespace of the outside: connects from an address and says
 * how it ended: `open` with the time in ms when the server greeted, `timeout`, or the error.
 */
import { connect } from 'node:net'

const [from, to, port, timeoutMs] = process.argv.slice(2)
const socket = connect({ host: to ?? '', port: Number(port), localAddress: from ?? '' })
const started = performance.now()
const answer = (text: string) => {
  console.log(text)
  socket.destroy()
}
socket.setTimeout(Number(timeoutMs), () => answer('timeout'))
socket.once('data', () => answer(`open ${Math.round(performance.now() - started)}`))
socket.once('error', (error) => answer(error.message))
