/**
 * Holds the matcher scan against plain expressions, those of the shipped filters and made-up ones, for as long as you like: `npm run fuzz -- [LINES] [SEED]`, a million
 * lines unless said. Prints the first line of which the two say different things, and how to see it again.
 */
import { setFlagsFromString } from 'node:v8'
import regexp from '../../../matchers/regexp/index.ts'
import { compileFrom } from '../../../matchers/scan/late-scanner.ts'
import { allShipped, firstDifference, foundIn, linesFor, showBusyLog } from './comparison.ts'
import { Seeded } from './seeded.ts'
import { linesOf } from './written-lines.ts'
import { writtenFilter } from './written-patterns.ts'

// As in the threads of the agent: otherwise a made-up line may take V8 for ever.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

const linesAtOnce = 500
/** Beside the shipped filters, so many of made-up patterns, with few lines each. */
const madeUpAtOnce = 100
const linesOfMadeUp = 50
const tellEveryMs = 5000
const [wanted = 1_000_000, first = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number)
if (!(wanted > 0) || !Number.isInteger(first)) throw new Error('npm run fuzz -- [LINES] [SEED], both numbers')

const pairs = (await allShipped()).map((one) => ({
  one,
  plain: regexp.compile([one.filter]),
  scanner: compileFrom([one.filter], 0),
}))
let [lines, found, told] = [0, 0, performance.now()]
for (let seed = first; lines < wanted; seed++) {
  for (const { one, plain, scanner } of pairs) {
    const some = linesFor(one, linesAtOnce, seed)
    if (seed % 2 === 0) showBusyLog(scanner, plain, some)
    if (firstDifference(scanner, plain, some) !== null) tellDifference(one.name, seed, some)
    lines += some.length
    found += foundIn(plain, some).length
    if (performance.now() - told > tellEveryMs) tell()
  }
  for (let turn = 0; turn < madeUpAtOnce; turn++) tryMadeUp(seed * madeUpAtOnce + turn)
}
tell()
console.log('no line was found differently')

function tell(): void {
  told = performance.now()
  console.log(`${lines} lines of ${wanted}, ${found} found, first seed ${first}`)
}

function tryMadeUp(seed: number): void {
  const random = new Seeded(seed)
  const filter = writtenFilter(random)
  const some = linesOf(filter, linesOfMadeUp, random)
  const [plain, scanner] = [regexp.compile([filter]), compileFrom([filter], 0)]
  const first = firstDifference(scanner, plain, some)
  showBusyLog(scanner, plain, some)
  const difference = first ?? firstDifference(scanner, plain, some)
  lines += some.length
  found += foundIn(plain, some).length
  if (difference === null) return
  console.error(`seed ${seed}: ${difference}`)
  for (const { text } of [...filter.failregex, ...filter.ignoreregex]) console.error(text)
  process.exit(1)
}

/** The line alone where it differs alone; else how few lines before it are needed. */
function tellDifference(name: string, seed: number, some: readonly string[]): never {
  const one = pairs.find((pair) => pair.one.name === name)?.one
  if (one === undefined) throw new Error(`there is no filter ${name}`)
  const differs = (part: readonly string[]) => {
    const [plain, scanner] = [regexp.compile([one.filter]), compileFrom([one.filter], 0)]
    if (seed % 2 === 0) showBusyLog(scanner, plain, some)
    return firstDifference(scanner, plain, part)
  }
  const least = some.find((line) => differs([line]) !== null)
  const shown = least === undefined ? some : [least]
  console.error(`${name}, seed ${seed}: ${differs(shown) ?? 'only in a scanner that saw other lines before'}`)
  if (least !== undefined) console.error(JSON.stringify(least))
  process.exit(1)
}
