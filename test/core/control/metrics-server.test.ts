import { createServer, type AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'
import { startMetrics } from '../../../core/control/metrics-server.ts'
import { suite } from '../../suite.ts'

const test = suite('metrics server')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('who asks again and again is answered without new work', async () => {
  const port = await freePort()
  let made = 0
  const server = await startMetrics({ host: '127.0.0.1', port }, () => `made ${++made}\n`)
  try {
    const ask = () => fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text())
    assert.is(await ask(), 'made 1\n')
    const answers = await Promise.all(Array.from({ length: 15 }, ask))
    assert.ok(answers.every((answer) => /^made \d+\n$/.test(answer)))
    // As good as always 1: only where the machine stands still for seconds it is more.
    assert.ok(made < 10, String(made))
  } finally {
    await server.stop()
  }
})

test.run()
