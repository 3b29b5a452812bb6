import { Readable } from 'node:stream'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { FrameTooLong, readLines } from '../../../core/firewall/frames.ts'
import { maxFrameBytes } from '../../../core/firewall/messages.ts'
import { suite } from '../../suite.ts'

const test = suite('firewall frames')

async function read(chunks: Buffer[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLines(Readable.from(chunks))) lines.push(line)
  return lines
}

test('lines come whole, wherever the chunks were cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''))
      const chunks: Buffer[] = []
      let at = 0
      for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)))
      chunks.push(bytes.subarray(at))
      assert.equal(await read(chunks), lines)
    }),
  )
})

test('what has no newline is not given out', async () => {
  assert.equal(await read([Buffer.from('a\nb\nc')]), ['a', 'b'])
  assert.equal(await read([]), [])
})

test('a line may be as long as the cap and not one byte longer, with its newline or without', async () => {
  const longest = Buffer.alloc(maxFrameBytes, 'x')
  const newline = Buffer.from('\n')
  assert.is((await read([longest, newline]))[0]?.length, maxFrameBytes)
  for (const chunks of [
    [longest, Buffer.from('x')],
    [Buffer.concat([longest, Buffer.from('x\n')])],
    [Buffer.from('ok\n'), longest, Buffer.from('x\n')],
  ]) {
    const failure = await read(chunks).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.instance(failure, FrameTooLong)
  }
})

test.run()
