/**
 * Sends texts to a port, each by a connection of its own: `FROM TO PORT TEXT…`, texts in base64. Prints for each how the
 * answer begins, `nothing` for none within a second, or `timeout` where there is no connection.
 */
import { connect } from 'node:net'

const [from = '', to = '', port, ...texts] = process.argv.slice(2)
for (const text of texts) console.log(await answerTo(Buffer.from(text, 'base64')))

function answerTo(text: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port: Number(port), localAddress: from })
    let isOpen = false
    const end = (answer: string) => {
      resolve(answer)
      socket.destroy()
    }
    setTimeout(() => end(isOpen ? 'nothing' : 'timeout'), 1000)
    socket.on('connect', () => {
      isOpen = true
      socket.write(text)
    })
    socket.on('data', (data: Buffer) => end(data.toString('latin1').split('\r\n')[0] ?? ''))
    socket.on('error', (error) => end(String(error)))
  })
}
