/** What an address tag cuts out of a line: all of an address or nothing. */
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { parseAddress } from '../../../core/address.ts'
import { compileFilter } from '../../../core/matching/filters.ts'
import { suite } from '../../suite.ts'

const test = suite('address tags')
const known = new Map<string, ReturnType<typeof compile>>()

test('a sloppy pattern finds a whole address or none', () => {
  const cases: [line: string, address: string | null][] = [
    ['from 192.0.2.1', '192.0.2.1'],
    ['from 192.0.2.1: text', '192.0.2.1'],
    ['from 192.0.2.1:443', '192.0.2.1'],
    ['from 192.0.2.1, again', '192.0.2.1'],
    ['It was 192.0.2.1.', '192.0.2.1'],
    ['It was 192.0.2.1. Then', '192.0.2.1'],
    ['rhost=192.0.2.1 user=x', '192.0.2.1'],
    ['client:192.0.2.1', '192.0.2.1'],
    ['face:192.0.2.1', '192.0.2.1'],
    ['[192.0.2.1]', '192.0.2.1'],
    ['"192.0.2.1"', '192.0.2.1'],
    ["'192.0.2.1'", '192.0.2.1'],
    ['(192.0.2.1)', '192.0.2.1'],
    ['<192.0.2.1>', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['http://192.0.2.1/x', '192.0.2.1'],
    ['x@192.0.2.1;', '192.0.2.1'],
    ['1.2.3.4.5', null],
    ['0.1.2.3.4.5', null],
    ['1.2.3.456', null],
    ['1.2.3.4567', null],
    ['1234.2.3.4', null],
    ['192.0.2', null],
    ['192.0.2.1.example.net', null],
    ['192.0.2.1-static.example.net', null],
    ['host-192.0.2.1', null],
    ['host.192.0.2.1', null],
    ['v192.0.2.1', null],
    ['_192.0.2.1', null],
    ['192.0.2.1_', null],
    ['192.0.2.1x', null],
    ['192.0.2.1%eth0', null],
    ['é192.0.2.1', null],
    ['192.0.2.1é', null],
    ['٣192.0.2.1', null],
    ['::1', '::1'],
    ['from 2001:db8::1', '2001:db8::1'],
    ['from 2001:db8::1: text', '2001:db8::1'],
    ['from 2001:db8::1:text', '2001:db8::1'],
    ['from 2001:db8::1, text', '2001:db8::1'],
    ['It was 2001:db8::1.', '2001:db8::1'],
    ['rhost=2001:db8::1', '2001:db8::1'],
    ['client:2001:db8::1', '2001:db8::1'],
    ['client:::1', '::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1:443', '192.0.2.1'],
    ['[::ffff:192.0.2.1]', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
    ['client::1', null],
    ['face:2001:db8::1', 'face:2001:db8::1'],
    ['22:2001:db8::1', '22:2001:db8::1'],
    ['::', null],
    ['a :: b', null],
    ['22:::1', null],
    ['12345:2001:db8::1', null],
    ['2001:db8::1:443:x', '2001:db8::1:443'],
    ['::1:1:', '::1:1'],
    ['1::2::3', null],
    ['::1::', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['12:34:56', null],
    ['00:11:22:33:44:55', null],
    ['2001:db8::12345', null],
    ['2001:db8::1%eth0', null],
    ['fe80::1%25eth0', null],
    ['[fe80::1%eth0]', null],
    ['2001:db8::1.example.net', null],
    ['2001:db8::1-x', null],
    ['x2001:db8::1', null],
    ['g::1', null],
    ['::ffff:192.0.2.1.5', null],
    ['::ffff:192.0.2.1.example', null],
    ['1.2.3.4::1', null],
    ['std::vector', null],
    ['localhost', null],
    ['3221225985', null],
    ['0xc0000201', null],
  ]
  for (const sloppy of ['<HOST>', '.*<HOST>', '.*?<ADDR>', '(?:<HOST>|<HOST>y)', '\\S*<HOST>', '[^ ]*?<HOST>']) {
    for (const [line, expected] of cases) {
      const cut = find(sloppy, line)
      assert.ok(cut === null || parseAddress(cut) === expected, `${sloppy} on ${line} cut ${cut}`)
      if (sloppy === '<HOST>' && expected !== null)
        assert.is(cut && parseAddress(cut), expected, `${sloppy} on ${line}`)
    }
  }
})

test('a pattern that says what stands around the address needs no look-around and cuts the same', () => {
  const cases: [pattern: string, line: string, address: string | null][] = [
    ['from <HOST> port', 'from 192.0.2.1 port', '192.0.2.1'],
    ['from <HOST> port', 'from [2001:db8::1] port', '2001:db8::1'],
    ['from <HOST> port', 'from 192.0.2.1.5 port', null],
    ['from <HOST>$', 'from 192.0.2.1', '192.0.2.1'],
    ['from <HOST>$', 'from 192.0.2.1.', null],
    ['from <HOST>(?: port \\d+)?$', 'from 2001:db8::1 port 5', '2001:db8::1'],
    ['from <HOST>(?: port \\d+)?$', 'from 2001:db8::1:5 port 5', '2001:db8::1:5'],
    ['^<HOST> -', '192.0.2.1 -', '192.0.2.1'],
    ['^\\[<HOST>\\]', '[192.0.2.1]', '192.0.2.1'],
    ['^<HOST>:\\d+$', '192.0.2.1:443', '192.0.2.1'],
    ['^<HOST>:\\d+$', '[2001:db8::1]:443', '2001:db8::1'],
    // A port that must be there tells where an IPv6 address without brackets ends; one that may be there does not.
    ['^<HOST>:\\d+$', '2001:db8::1:443', '2001:db8::1'],
    ['^<ADDR>:<F-PORT>\\d{1,5}</F-PORT>\\]', '2001:db8::51548:51548]', null],
    ['^<ADDR>:<F-PORT>\\d{1,5}</F-PORT>\\]', '2001:db8::7:51548]', '2001:db8::7'],
    ['^<ADDR>:<F-PORT>\\d{1,5}</F-PORT>\\]', '::1:80]', '::1'],
    ['^<ADDR>:[0-9]+ ', '1:2:3:4:5:6:7:8:9 ', '1:2:3:4:5:6:7:8'],
    ['^<ADDR>:[0-9]+ ', '2001:db8::7 ', null],
    ['^<HOST>(?::\\d+)?$', '2001:db8::1:51548', null],
    ['^<HOST>: why', '2001:db8::1: why', '2001:db8::1'],
    ['^<HOST>: why', '2001:db8::: why', '2001:db8::'],
    ['^<HOST>: why', '2001:db8:: why', null],
    ['^<HOST>: why', '1:2:3:4:5:6:7:8: why', '1:2:3:4:5:6:7:8'],
    ['^<HOST>: why', '1:2:3:4:5:6:7: why', null],
    ['^<HOST>(?:: .*)?$', '192.0.2.1.5: why', null],
    ['^<HOST>(?:: .*)?$', '2001:db8::1:5: why', '2001:db8::1:5'],
    ['^<HOST>:$', '2001:db8::', null],
    ['^<HOST>:\\d*$', '2001:db8::1:443', null],
    ['^<HOST>:\\w+$', '2001:db8::1:443', null],
    ['^<HOST>:\\d+$', '::ffff:192.0.2.1:443', '192.0.2.1'],
    ['from <HOST>\\d', 'from 192.0.2.12', null],
    ['from <HOST>.*x', 'from 192.0.2.12x', null],
    ['\\d<HOST>', '1192.0.2.1', null],
    ['<IP4>', '2001:db8::1 192.0.2.1', '192.0.2.1'],
    ['<IP4>', '::ffff:192.0.2.1', '192.0.2.1'],
    ['<IP4>', '64:ff9b::192.0.2.1', null],
    ['<IP6>', '192.0.2.1 2001:db8::1', '2001:db8::1'],
    ['(?:by <HOST>|from <HOST>),', 'from 192.0.2.1,', '192.0.2.1'],
  ]
  for (const [pattern, line, expected] of cases) {
    const cut = find(pattern, line)
    assert.is(cut && parseAddress(cut), expected, `${pattern} on ${line}`)
  }
})

test('what is cut out of generated text is never a piece of something longer', () => {
  const piece = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('::ffff:192.0.2.1', '1.2.3', '::1', '22', 'face', 'a', 'z', '0', 'é', '%eth0', 'example'),
    fc.constantFrom('.', ':', '::', '-', '_', ' ', '[', ']', '/', ',', '='),
  )
  const text = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(text, (line) => {
      for (const pattern of ['<HOST>', '.*<HOST>', '\\S*<HOST>']) {
        const cut = find(pattern, line)
        const address = cut === null ? null : parseAddress(cut)
        if (cut === null || address === null) continue
        assert.ok(standsAlone(line, cut), `${pattern} cut ${cut} out of ${line}`)
      }
    }),
    { seed: 7, numRuns: 5000 },
  )
})

test.run()

function find(pattern: string, line: string): string | null {
  const compiled = known.get(pattern) ?? compile(pattern)
  known.set(pattern, compiled)
  const ascii = [...line].every((character) => character < '\x80')
  const found = (ascii ? compiled.ascii : compiled.unicode).exec(line)
  return compiled.groups.flatMap((tag, index) => (tag === 'addr' ? (found?.[index + 1] ?? []) : []))[0] ?? null
}

function compile(failregex: string) {
  const source = { name: 'test', programs: null, prefregex: null, failregex: [failregex], ignoreregex: [] }
  const [pattern] = compileFilter(source).failregex
  if (!pattern) throw new Error('no pattern')
  return { groups: pattern.groups, ascii: new RegExp(pattern.ascii), unicode: new RegExp(pattern.unicode, 'u') }
}

/** Whether the text stands somewhere where no word touches it and no longer address holds it. */
function standsAlone(line: string, cut: string): boolean {
  for (let at = line.indexOf(cut); at >= 0; at = line.indexOf(cut, at + 1)) {
    const behind = at + cut.length
    const touched = /[\p{L}\p{N}_.-]$/u.test(line.slice(0, at)) || /^[\p{L}\p{N}_%]/u.test(line.slice(behind))
    if (!touched && !longerAddress(line, at, behind)) return true
  }
  return false
}

function longerAddress(line: string, start: number, end: number): boolean {
  for (let from = Math.max(0, start - 20); from <= start; from++) {
    for (let to = end; to <= Math.min(line.length, end + 20); to++) {
      const touched = /[\p{L}\p{N}_]$/u.test(line.slice(0, from)) || /^[\p{L}\p{N}_]/u.test(line.slice(to))
      if (to - from > end - start && !touched && parseAddress(line.slice(from, to)) !== null) return true
    }
  }
  return false
}
