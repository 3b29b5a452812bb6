/** Lines decoded as Python decodes them, bytes that are no text too. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { lineDecoder } from '../../../../core/fail2ban/lines/line-decoding.ts'
import { suite } from '../../../suite.ts'
import { RunningFail2ban } from './running-filter.ts'
import { zone } from './same-verdicts.ts'

const test = suite('decoding of lines', 'python3', 'fail2ban-regex')
const encodings = [
  'utf-8',
  'UTF8',
  'ascii',
  'latin-1',
  'iso-8859-1',
  'iso8859-15',
  'ISO_8859-2',
  'cp1252',
  'cp1251',
  'koi8-r',
  'cp1250',
  'cp1254',
  'cp866',
  'iso8859-9',
  'iso8859-5',
]

test('any bytes become the same text', async () => {
  const running = new RunningFail2ban(zone)
  // Pieces of UTF-8, whole and broken, are rare among bytes of chance.
  const piece = fc.oneof(
    fc.constantFrom(
      [0xe2, 0x82, 0xac],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xef, 0xbb, 0xbf],
    ),
    fc.array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 4 }),
  )
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.flat())
  try {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...encodings), fc.array(line, { maxLength: 20 }), async (encoding, lines) => {
        const decode = lineDecoder(encoding)
        assert.equal(
          lines.map((bytes) => decode(Buffer.from(bytes))),
          await running.decode(encoding, lines),
          encoding,
        )
      }),
      { seed: Number(process.env.SEED ?? 7), numRuns: Number(process.env.RUNS ?? 150) },
    )
  } finally {
    running.end()
  }
})

test('what cannot be read is told with the next step', () => {
  assert.throws(() => lineDecoder('klingon'), /the encoding "klingon" is not known/)
  assert.throws(() => lineDecoder('utf-16'), /has lines that cannot be cut/)
  assert.is(lineDecoder('auto')(Buffer.from('ü')), 'ü')
})

test.run()
